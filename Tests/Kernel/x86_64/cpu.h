// x86-64: instructions, ports and registers of the local APIC.
#pragma once

#include <stdint.h>

#define CPU_ASM __asm__ volatile

static inline void port_write8(uint16_t port, uint8_t value) { CPU_ASM("outb %0, %1" ::"a"(value), "Nd"(port)); }
static inline uint8_t port_read8(uint16_t port) {
  uint8_t value;
  CPU_ASM("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline void port_write32(uint16_t port, uint32_t value) { CPU_ASM("outl %0, %1" ::"a"(value), "Nd"(port)); }

// ---- The serial port: a 16550 at the first PC address ----

static inline void serial_start(void) {
  port_write8(0x3F8 + 1, 0);     // no interrupts
  port_write8(0x3F8 + 3, 0x80);  // the divisor: 115,200 baud
  port_write8(0x3F8 + 0, 1);
  port_write8(0x3F8 + 1, 0);
  port_write8(0x3F8 + 3, 3);     // eight bits, no parity
  port_write8(0x3F8 + 2, 0xC7);  // queues on
}
static inline void serial_write(uint8_t byte) {
  while ((port_read8(0x3F8 + 5) & 0x20) == 0) {}
  port_write8(0x3F8, byte);
}

// ---- Translation ----

static inline void cpu_set_root(uint64_t value) { CPU_ASM("movq %0, %%cr3" ::"r"(value) : "memory"); }
/// Without global pages, loading CR3 invalidates everything.
static inline void cpu_invalidate_all(void) {
  uint64_t value;
  CPU_ASM("movq %%cr3, %0; movq %0, %%cr3" : "=r"(value)::"memory");
}
static inline void cpu_invalidate_page(uint64_t address) { CPU_ASM("invlpg (%0)" ::"r"(address) : "memory"); }

// ---- The processor ----

/// The task register's selector tells the processors apart: number 0 has 0x28, each next one 16 more.
static inline uint64_t cpu_number(void) {
  uint64_t selector;
  CPU_ASM("str %0" : "=r"(selector));
  return ((selector & 0xFFFF) - 0x28) >> 4;
}
static inline uint64_t cpu_time(void) {
  uint32_t low, high;
  CPU_ASM("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
  return (uint64_t)high << 32 | low;
}
static inline void cpu_start_count(void) {}
/// Instructions, under `-icount shift=0`.
static inline uint64_t cpu_count(void) { return cpu_time(); }
static inline void cpu_write_msr(uint32_t number, uint64_t value) {
  CPU_ASM("wrmsr" ::"c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
/// EDX of CPUID 0x80000001: bit 26 stands for pages of 1 GiB.
static inline uint32_t cpu_features(void) {
  uint32_t a = 0x80000001, b, c, d;
  CPU_ASM("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  return d;
}
static inline _Bool cpu_disable_interrupts(void) {
  uint64_t flags;
  CPU_ASM("pushfq; popq %0; cli" : "=r"(flags)::"memory");
  return flags >> 9 & 1;
}
static inline void cpu_enable_interrupts(void) { CPU_ASM("sti" ::: "memory"); }
/// Waits for an interrupt with interrupts enabled, and disables them again. `sti` takes effect after `hlt` begins.
static inline void cpu_wait_for_interrupt(void) { CPU_ASM("sti; hlt; cli" ::: "memory"); }
static inline void cpu_synchronize_instructions(void) {}

/// Ends a user program with a result.
_Noreturn static inline __attribute__((always_inline)) void cpu_user_exit(uint64_t result) {
  CPU_ASM("int $0x80" ::"D"(result));
  __builtin_unreachable();
}

/// Ends QEMU by its device isa-debug-exit: the exit status is 2 · `status` + 1.
_Noreturn static inline void machine_exit(uint32_t status) {
  port_write32(0xF4, status);
  for (;;) CPU_ASM("cli; hlt");
}

// ---- Device registers ----

static inline uint32_t register_read(uint64_t address) { return *(volatile uint32_t *)address; }
static inline void register_write(uint64_t address, uint32_t value) { *(volatile uint32_t *)address = value; }

// ---- What vectors.S and boot.S share with Swift ----

/// A task state segment: the stacks that the processor switches to.
struct __attribute__((packed)) task_state {
  uint32_t reserved0;
  uint64_t stacks[3];
  uint64_t reserved1;
  uint64_t interrupt_stacks[7];
  uint64_t reserved2;
  uint16_t reserved3, port_map;
  uint8_t padding[24];
};
extern struct task_state task_states[8];
/// Where the processors that start find their stacks and the kernel's CR3.
extern uint64_t secondary_stacks[8], secondary_root;
extern uint32_t secondary_limit;
extern const uint8_t secondary_start[], secondary_start_end[];
static inline uint64_t secondary_start_address(void) { return (uint64_t)secondary_start; }
static inline uint64_t secondary_start_byte_count(void) { return (uint64_t)(secondary_start_end - secondary_start); }
static inline void secondary_prepare(uint64_t number, uint64_t stack, uint64_t trap_stack, uint64_t root) {
  task_states[number].interrupt_stacks[0] = trap_stack;
  secondary_stacks[number] = stack;
  secondary_root = root;
  secondary_limit = (uint32_t)number + 1;
}
