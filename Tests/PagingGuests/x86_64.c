#include "guest.h"

// QEMU's `pc` machine: RAM to 3 GiB and from 4 GiB on, a 16550 at port 0x3F8, the test device at port 0x604.

extern uint64_t gdt[], kernel_entry, kernel_start;
extern uint8_t exception_stubs[], high_gdt_pointer[], idt_pointer[];
void machine_probe_at(const struct probe *probe, struct raw_outcome *outcome, uint64_t unused0, uint64_t unused1,
                      uint64_t user_page);
void machine_root_write(uint64_t root);

static uint64_t idt[64] __attribute__((aligned(16)));
static uint8_t task[104] __attribute__((aligned(16)));
static uint8_t exception_stack[4096] __attribute__((aligned(16)));

static void put_address(uint8_t *place, const void *address) {
  for (int byte = 0; byte < 8; byte++) place[byte] = (uint8_t)((uint64_t)address >> byte * 8);
}

// Builds descriptor tables for the addresses at which the program now runs.
void machine_tables_build(void) {
  put_address(task + 4, exception_stack + sizeof exception_stack);   // RSP0
  put_address(task + 36, exception_stack + sizeof exception_stack);  // IST1
  uint64_t address = (uint64_t)task;
  gdt[5] = UINT64_C(0x0000890000000067) | (address & 0xFFFFFF) << 16 | (address >> 24 & 0xFF) << 56;
  gdt[6] = address >> 32;
  for (uint64_t vector = 0; vector < 32; vector++) {
    uint64_t stub = (uint64_t)exception_stubs + vector * 16;
    uint64_t type = vector == 3 ? 0xEE01 : 0x8E01;
    idt[vector * 2] = (stub & 0xFFFF) | 8 << 16 | type << 32 | (stub >> 16 & 0xFFFF) << 48;
    idt[vector * 2 + 1] = stub >> 32;
  }
  put_address(high_gdt_pointer + 2, gdt);
  put_address(idt_pointer + 2, idt);
}

const struct request *machine_request(void) { return (const struct request *)(kernel_start + 0x108000000); }

volatile uint64_t *machine_physical(uint64_t address) { return (volatile uint64_t *)(kernel_start + address); }

void machine_put(char character) { __asm__ volatile("outb %0, %1" ::"a"(character), "d"((uint16_t)0x3F8)); }

void machine_root_set(uint64_t root, uint64_t mode) {
  machine_physical(root)[511] = kernel_entry;
  machine_root_write(root);
}

void machine_probe(const struct probe *probe, struct raw_outcome *outcome) {
  machine_probe_at(probe, outcome, 0, 0, kernel_start + (UINT64_C(511) << 30));
  if (!outcome->trapped && probe->access == ACCESS_FETCH) outcome->value &= 0xFFFFFFFF;
}

void machine_judge(const struct probe *probe, const struct raw_outcome *raw, struct outcome *outcome) {
  uint64_t vector = raw->cause & 0xFF;
  if (vector == 3 && probe->user) {
    *outcome = (struct outcome){OUTCOME_DONE, probe->access == ACCESS_WRITE ? 0 : raw->value, 0};
  } else if (vector == 14) {
    *outcome = (struct outcome){OUTCOME_FAULT, raw->cause >> 8, raw->address};
  } else {
    *outcome = (struct outcome){OUTCOME_OTHER, vector, 0};
  }
}

int machine_translate(const struct probe *probe, uint64_t *physical) { return -1; }

_Noreturn void machine_off(void) {
  __asm__ volatile("outw %0, %1" ::"a"((uint16_t)0x2000), "d"((uint16_t)0x604));
  for (;;) __asm__ volatile("hlt");
}
