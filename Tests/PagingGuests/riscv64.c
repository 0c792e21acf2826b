#include "guest.h"

// QEMU's `virt` machine: RAM from 0x80000000, a 16550 at 0x10000000, the test device at 0x100000.

const struct request *machine_request(void) { return (const struct request *)UINT64_C(0x88000000); }

volatile uint64_t *machine_physical(uint64_t address) { return (volatile uint64_t *)address; }

void machine_put(char character) { *(volatile uint8_t *)UINT64_C(0x10000000) = (uint8_t)character; }

void machine_judge(const struct probe *probe, const struct raw_outcome *raw, struct outcome *outcome) {
  // Causes (privileged architecture, table 3.6): 8 and 9, environment calls, come from the fetched instructions, which
  // have loaded their tag into the upper twenty bits of a word. 12, 13 and 15 are page faults.
  if (probe->access == ACCESS_FETCH && raw->cause == (probe->user ? 8 : 9)) {
    *outcome = (struct outcome){OUTCOME_DONE, raw->value >> 12, 0};
  } else if (raw->cause == 12 || raw->cause == 13 || raw->cause == 15) {
    *outcome = (struct outcome){OUTCOME_FAULT, raw->cause, raw->address};
  } else {
    *outcome = (struct outcome){OUTCOME_OTHER, raw->cause, 0};
  }
}

int machine_translate(const struct probe *probe, uint64_t *physical) { return -1; }

_Noreturn void machine_off(void) {
  *(volatile uint32_t *)UINT64_C(0x100000) = 0x5555;
  for (;;) __asm__ volatile("wfi");
}
