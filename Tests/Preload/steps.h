// Single steps: between BEGIN_STEPS and END_STEPS, the processor raises SIGTRAP after every instruction of this thread.
// x86-64 only; programs end with status 77 elsewhere.
#pragma once

#if defined(__x86_64__)

/// Bit 8 of the flags, as a signal handler finds them in its context.
#define TRAP_FLAG 0x100

/// Changes the flags through the stack, below the red zone.
#define CHANGE_TRAP_FLAG(operation)                                              \
  __asm__ volatile("leaq -128(%%rsp), %%rsp; pushfq; " operation                 \
                   ", (%%rsp); popfq; leaq 128(%%rsp), %%rsp" ::: "memory", "cc")

#define BEGIN_STEPS() CHANGE_TRAP_FLAG("orl $0x100")
#define END_STEPS() CHANGE_TRAP_FLAG("andl $~0x100")

#endif
