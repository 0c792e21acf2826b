#include "guest.h"

// QEMU's `virt` machine: RAM from 0x40000000, a PL011 at 0x09000000, PSCI by HVC.

// The start of the range in which the program runs: its addresses are physical ones plus these upper bits.
static uint64_t range_start(void) {
  uint64_t here;
  __asm__("adr %0, ." : "=r"(here));
  return here & UINT64_C(0xFFFF000000000000);
}

const struct request *machine_request(void) { return (const struct request *)(range_start() + 0x48000000); }

volatile uint64_t *machine_physical(uint64_t address) { return (volatile uint64_t *)(range_start() + address); }

void machine_put(char character) { *(volatile uint32_t *)(range_start() + 0x09000000) = (uint8_t)character; }

void machine_judge(const struct probe *probe, const struct raw_outcome *raw, struct outcome *outcome) {
  // The syndrome (Arm ARM, D24.2.40, ESR_EL1) holds the class in bits 31 to 26, then 25 bits specific to the class.
  // 0x15: SVC with its immediate. 0x20, 0x21: instruction abort; 0x24, 0x25: data abort. Bits 5 to 0 are the status
  // code, whose lowest two bits give the level; bit 6 is set for a write.
  uint64_t class = raw->cause >> 26 & 0x3F;
  if (probe->access == ACCESS_FETCH && class == 0x15) {
    *outcome = (struct outcome){OUTCOME_DONE, raw->cause & 0xFFFF, 0};
  } else if (class == 0x20 || class == 0x21) {
    *outcome = (struct outcome){OUTCOME_FAULT, raw->cause & 0x3C, raw->address};
  } else if (class == 0x24 || class == 0x25) {
    *outcome = (struct outcome){OUTCOME_FAULT, raw->cause & 0x7C, raw->address};
  } else {
    *outcome = (struct outcome){OUTCOME_OTHER, raw->cause, 0};
  }
}

int machine_translate(const struct probe *probe, uint64_t *physical) {
  uint64_t result, address = probe->address;
  if (probe->access == ACCESS_READ) {
    if (probe->user) __asm__ volatile("at s1e0r, %0" ::"r"(address));
    if (!probe->user) __asm__ volatile("at s1e1r, %0" ::"r"(address));
  } else {
    if (probe->user) __asm__ volatile("at s1e0w, %0" ::"r"(address));
    if (!probe->user) __asm__ volatile("at s1e1w, %0" ::"r"(address));
  }
  __asm__ volatile("isb; mrs %0, par_el1" : "=r"(result));
  if (result & 1) return 0;
  *physical = (result & UINT64_C(0x0000FFFFFFFFF000)) | (address & 0xFFF);
  return 1;
}

_Noreturn void machine_off(void) {
  register uint64_t function __asm__("x0") = 0x84000008;  // PSCI SYSTEM_OFF
  __asm__ volatile("hvc #0" ::"r"(function) : "memory");
  for (;;) __asm__ volatile("wfi");
}
