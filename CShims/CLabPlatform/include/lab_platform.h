// What the core asks of whatever it runs on. Freestanding: no libc header is included, so that the same
// declarations serve a Linux process, a kernel and a microcontroller.
//
// On a hosted system `lab_platform.c` defines the functions; a bare-metal image links its own three.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// Ends the process or halts the machine after showing `length` bytes of one line (with its newline).
/// Must not allocate and must not return.
void lab_platform_fail(const char *line, unsigned long length) __attribute__((cold));

/// Gives the processor to another thread for a while; does nothing where there are no threads.
void lab_platform_yield(void);

/// A number other than 0 that no other live thread has.
unsigned long lab_platform_thread(void);

/// Tells the processor that it runs in a wait loop.
static inline void lab_platform_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield" ::: "memory");
#elif defined(__riscv)
  // `pause` of Zihintpause, as its encoding: a hint that older processors ignore.
  __asm__ volatile(".word 0x0100000f" ::: "memory");
#endif
}

#ifdef __cplusplus
}
#endif
