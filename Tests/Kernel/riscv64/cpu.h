// RISC-V: instructions, and calls of the firmware (RISC-V Supervisor Binary Interface specification 1.0).
#pragma once

#include <stdint.h>

#define CPU_ASM __asm__ volatile

/// A call of the firmware; 0 is success.
static inline int64_t firmware_call(uint64_t extension, uint64_t function, uint64_t first, uint64_t second,
                                    uint64_t third, uint64_t fourth) {
  register uint64_t a0 __asm__("a0") = first;
  register uint64_t a1 __asm__("a1") = second;
  register uint64_t a2 __asm__("a2") = third;
  register uint64_t a3 __asm__("a3") = fourth;
  register uint64_t a6 __asm__("a6") = function;
  register uint64_t a7 __asm__("a7") = extension;
  CPU_ASM("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
  return (int64_t)a0;
}

// ---- The firmware's console ----

static inline void serial_start(void) {}
static inline void serial_write(uint8_t byte) { firmware_call(1, 0, byte, 0, 0, 0); }

// ---- Translation ----
//
// The instructions reach this processor alone. The firmware interrupts the others.

static inline void cpu_set_root(uint64_t value) { CPU_ASM("csrw satp, %0; sfence.vma" ::"r"(value) : "memory"); }
static inline void cpu_invalidate_all(void) { CPU_ASM("sfence.vma" ::: "memory"); }
static inline void cpu_invalidate_page(uint64_t address) { CPU_ASM("sfence.vma %0, zero" ::"r"(address) : "memory"); }
/// Invalidates on the processors in a mask. A size of 2^64 - 1 stands for everything.
static inline void cpu_invalidate_elsewhere(uint64_t processors, uint64_t start, uint64_t byte_count) {
  firmware_call(0x52464E43, 1, processors, 0, start, byte_count);
}

// ---- The processor ----

static inline uint64_t cpu_number(void) {
  uint64_t number;
  CPU_ASM("mv %0, tp" : "=r"(number));
  return number;
}
static inline uint64_t cpu_time(void) {
  uint64_t time;
  CPU_ASM("rdtime %0" : "=r"(time)::"memory");
  return time;
}
static inline void cpu_start_count(void) {}
/// Instructions, under `-icount shift=0`.
static inline uint64_t cpu_count(void) {
  uint64_t count;
  CPU_ASM("rdinstret %0" : "=r"(count)::"memory");
  return count;
}
static inline _Bool cpu_disable_interrupts(void) {
  uint64_t status;
  CPU_ASM("csrrci %0, sstatus, 2" : "=r"(status)::"memory");
  return status >> 1 & 1;
}
static inline void cpu_enable_interrupts(void) { CPU_ASM("csrsi sstatus, 2" ::: "memory"); }
/// Waits for an interrupt, takes it, and disables interrupts again. One that is disabled ends the wait as well.
static inline void cpu_wait_for_interrupt(void) { CPU_ASM("wfi; csrsi sstatus, 2; csrci sstatus, 2" ::: "memory"); }
/// Makes instructions that were just written visible to all processors.
static inline void cpu_synchronize_instructions(void) {
  CPU_ASM("fence.i" ::: "memory");
  firmware_call(0x52464E43, 0, 0, (uint64_t)-1, 0, 0);
}
/// Enables the interrupts of software and of the timer.
static inline void cpu_select_interrupts(void) { CPU_ASM("csrw sie, %0" ::"r"(0x22)); }
/// Ends the interrupt that another processor sent.
static inline void cpu_end_call(void) { CPU_ASM("csrci sip, 2" ::: "memory"); }
static inline void cpu_set_timer(uint64_t time) { firmware_call(0x54494D45, 0, time, 0, 0, 0); }
static inline void cpu_interrupt(uint64_t processors) { firmware_call(0x735049, 0, processors, 0, 0, 0); }
static inline int64_t cpu_start_processor(uint64_t processor, uint64_t entry) {
  return firmware_call(0x48534D, 0, processor, entry, 0, 0);
}

/// Ends a user program with a result.
_Noreturn static inline __attribute__((always_inline)) void cpu_user_exit(uint64_t result) {
  register uint64_t a0 __asm__("a0") = result;
  CPU_ASM("ecall" ::"r"(a0));
  __builtin_unreachable();
}

/// Ends QEMU with a status by its test device, where the direct map has it. The firmware's reset would have no status.
_Noreturn static inline void machine_exit(uint32_t status) {
  *(volatile uint32_t *)0xFFFFFFC000100000u = status << 16 | 0x3333;
  for (;;) CPU_ASM("wfi");
}

// ---- What boot.S shares with Swift ----

/// Where the processors that start find their stacks and tables.
extern uint64_t secondary_stacks[8], secondary_trap_stacks[8], secondary_root, secondary_number;
extern const uint8_t secondary_start[];
static inline uint64_t secondary_start_address(void) { return (uint64_t)secondary_start; }
/// The word at a trap stack's top tells a trap which processor it is on.
static inline void secondary_prepare(uint64_t number, uint64_t stack, uint64_t trap_stack, uint64_t root) {
  *(uint64_t *)(trap_stack - 16) = number;
  secondary_stacks[number] = stack;
  secondary_trap_stacks[number] = trap_stack - 16;
  secondary_root = root;
  secondary_number = number;
}
/// Changes the stack on which this processor takes traps.
static inline void cpu_set_trap_stack(uint64_t stack) { CPU_ASM("csrw sscratch, %0" ::"r"(stack - 16) : "memory"); }
