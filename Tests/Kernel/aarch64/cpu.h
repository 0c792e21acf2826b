// AArch64: instructions, and registers of the serial port.
#pragma once

#include <stdint.h>

#define CPU_ASM __asm__ volatile

// ---- The serial port: a PL011, where the direct map has it ----

static inline void serial_start(void) {}
static inline void serial_write(uint8_t byte) { *(volatile uint32_t *)0xFFFF000009000000u = byte; }

// ---- Translation ----
//
// Without tags, a new root needs empty TLBs. Instructions with IS reach all processors, the others this one.

static inline void cpu_set_root(uint64_t value) {
  CPU_ASM("dsb ishst; msr ttbr0_el1, %0; isb; tlbi vmalle1; dsb nsh; isb" ::"r"(value) : "memory");
}
static inline void cpu_set_kernel_root(uint64_t value) {
  CPU_ASM("dsb ishst; msr ttbr1_el1, %0; isb; tlbi vmalle1; dsb nsh; isb" ::"r"(value) : "memory");
}
static inline void cpu_invalidate_all(void) { CPU_ASM("dsb nshst; tlbi vmalle1; dsb nsh; isb" ::: "memory"); }
static inline void cpu_invalidate_all_everywhere(void) { CPU_ASM("dsb ishst; tlbi vmalle1is; dsb ish; isb" ::: "memory"); }
static inline void cpu_invalidate_page(uint64_t address) {
  CPU_ASM("dsb nshst; tlbi vaae1, %0; dsb nsh; isb" ::"r"(address >> 12 & 0xFFFFFFFFFFF) : "memory");
}
static inline void cpu_invalidate_page_everywhere(uint64_t address) {
  CPU_ASM("dsb ishst; tlbi vaae1is, %0; dsb ish; isb" ::"r"(address >> 12 & 0xFFFFFFFFFFF) : "memory");
}

// ---- The processor ----

static inline uint64_t cpu_number(void) {
  uint64_t number;
  CPU_ASM("mrs %0, tpidr_el1" : "=r"(number));
  return number;
}
static inline uint64_t cpu_time(void) {
  uint64_t time;
  CPU_ASM("isb; mrs %0, cntvct_el0" : "=r"(time)::"memory");
  return time;
}
/// Starts the counter that `cpu_count` reads.
static inline void cpu_start_count(void) {
  CPU_ASM("msr pmcntenset_el0, %0; msr pmcr_el0, %1; isb" ::"r"(1ul << 31), "r"(1ul));
}
/// Nanoseconds of the processor, which are instructions under `-icount shift=0`.
static inline uint64_t cpu_count(void) {
  uint64_t count;
  CPU_ASM("isb; mrs %0, pmccntr_el0" : "=r"(count)::"memory");
  return count;
}
static inline _Bool cpu_disable_interrupts(void) {
  uint64_t mask;
  CPU_ASM("mrs %0, daif; msr daifset, #2" : "=r"(mask)::"memory");
  return (mask >> 7 & 1) == 0;
}
static inline void cpu_enable_interrupts(void) { CPU_ASM("msr daifclr, #2" ::: "memory"); }
/// Waits for an interrupt, takes it, and disables interrupts again. One that is disabled ends the wait as well.
static inline void cpu_wait_for_interrupt(void) { CPU_ASM("wfi; msr daifclr, #2; isb; msr daifset, #2" ::: "memory"); }
/// Makes instructions that were just written visible to all processors.
static inline void cpu_synchronize_instructions(void) { CPU_ASM("dsb ish; ic ialluis; dsb ish; isb" ::: "memory"); }

/// An interrupt after so many ticks of `cpu_time`, or none.
static inline void cpu_set_timer(uint64_t ticks, _Bool is_on) {
  CPU_ASM("msr cntv_tval_el0, %0; msr cntv_ctl_el0, %1; isb" ::"r"(ticks), "r"((uint64_t)is_on));
}

/// Asks the firmware (PSCI, Arm DEN 0022) to start a processor. 0 is success.
static inline int64_t cpu_start_processor(uint64_t processor, uint64_t entry, uint64_t argument) {
  register uint64_t x0 __asm__("x0") = 0xC4000003;
  register uint64_t x1 __asm__("x1") = processor;
  register uint64_t x2 __asm__("x2") = entry;
  register uint64_t x3 __asm__("x3") = argument;
  CPU_ASM("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
  return (int64_t)x0;
}

/// Ends a user program with a result.
_Noreturn static inline __attribute__((always_inline)) void cpu_user_exit(uint64_t result) {
  register uint64_t x0 __asm__("x0") = result;
  CPU_ASM("svc #0" ::"r"(x0));
  __builtin_unreachable();
}

/// Ends QEMU with a status by semihosting: SYS_EXIT_EXTENDED.
_Noreturn static inline void machine_exit(uint32_t status) {
  uint64_t arguments[2] = {0x20026, status};
  register uint64_t w0 __asm__("x0") = 0x20;
  register uint64_t *x1 __asm__("x1") = arguments;
  for (;;) CPU_ASM("hlt #0xF000" : "+r"(w0) : "r"(x1) : "memory");
}

// ---- Device registers ----

static inline uint32_t register_read(uint64_t address) { return *(volatile uint32_t *)address; }
static inline void register_write(uint64_t address, uint32_t value) { *(volatile uint32_t *)address = value; }

// ---- What boot.S shares with Swift ----

/// Where the processors that start find their stacks and tables.
extern uint64_t secondary_stacks[8], secondary_trap_stacks[8], secondary_root, secondary_kernel_root;
extern const uint8_t secondary_start[];
static inline uint64_t secondary_start_address(void) { return (uint64_t)secondary_start; }
static inline void secondary_prepare(uint64_t number, uint64_t stack, uint64_t trap_stack) {
  secondary_stacks[number] = stack;
  secondary_trap_stacks[number] = trap_stack;
}
static inline void secondary_set_roots(uint64_t root, uint64_t kernel_root) {
  secondary_root = root;
  secondary_kernel_root = kernel_root;
}
/// Changes the stack on which this processor takes traps.
static inline void cpu_set_trap_stack(uint64_t stack) {
  CPU_ASM("msr spsel, #1; mov sp, %0; msr spsel, #0" ::"r"(stack) : "memory");
}
