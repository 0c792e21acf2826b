#include "lab_kvm_monitor.h"

#if defined(__x86_64__) && defined(__linux__)

#include <string.h>

extern const uint8_t lab_kvm_monitor_code[], lab_kvm_monitor_code_end[], lab_kvm_monitor_start[];
extern const uint8_t lab_kvm_monitor_read[], lab_kvm_monitor_write[], lab_kvm_monitor_done[];
extern const uint8_t lab_kvm_user_code[], lab_kvm_user_code_end[];
extern const uint8_t lab_kvm_user_read[], lab_kvm_user_write[], lab_kvm_user_done[];

enum {
  VECTOR_BREAKPOINT = 3,
  VECTOR_GENERAL_PROTECTION = 13,
  VECTOR_PAGE_FAULT = 14,
};

_Static_assert(sizeof(lab_record) == LAB_RECORD_BYTE_COUNT, "the assembler's layout of a record");
_Static_assert(LAB_MAILBOX_RECORDS + LAB_KVM_PROBE_COUNT_MAX * LAB_RECORD_BYTE_COUNT <=
                   LAB_MONITOR_BYTE_COUNT - LAB_MONITOR_MAILBOX,
               "the mailbox holds the largest batch");

static uint64_t *words(const lab_monitor *monitor, size_t offset) { return (uint64_t *)(monitor->host + offset); }

// The guest-virtual address of a label of the monitor, and of one of the user page.
static uint64_t kernel_address(const lab_monitor *monitor, const uint8_t *label) {
  return monitor->virtual + LAB_MONITOR_CODE + (uint64_t)(label - lab_kvm_monitor_code);
}
static uint64_t user_address(const lab_monitor *monitor, const uint8_t *label) {
  return monitor->virtual + LAB_MONITOR_USER_CODE + (uint64_t)(label - lab_kvm_user_code);
}

uint64_t lab_monitor_start_offset(void) {
  return LAB_MONITOR_CODE + (uint64_t)(lab_kvm_monitor_start - lab_kvm_monitor_code);
}

// The parts of the monitor's pages that do not depend on its address: page tables (SDM 3A, 4.5), code, GDT.
void lab_monitor_build(const lab_monitor *monitor) {
  uint64_t physical = monitor->physical;
  words(monitor, LAB_MONITOR_PML4)[0] = (physical + LAB_MONITOR_PDPT) | LAB_ENTRY_TABLE;
  words(monitor, LAB_MONITOR_PDPT)[0] = (physical + LAB_MONITOR_PD) | LAB_ENTRY_TABLE;
  words(monitor, LAB_MONITOR_PD)[0] = (physical + LAB_MONITOR_PT) | LAB_ENTRY_TABLE;
  uint64_t *table = words(monitor, LAB_MONITOR_PT);
  for (size_t page = LAB_MONITOR_CODE; page < LAB_MONITOR_BYTE_COUNT; page += LAB_PAGE_BYTE_COUNT) {
    uint64_t bits = LAB_ENTRY_PRESENT | LAB_ENTRY_WRITABLE | LAB_ENTRY_NO_EXECUTE;
    if (page == LAB_MONITOR_CODE) bits = LAB_ENTRY_PRESENT;
    if (page == LAB_MONITOR_USER_CODE) bits = LAB_ENTRY_PRESENT | LAB_ENTRY_USER;
    table[page / LAB_PAGE_BYTE_COUNT] = (physical + page) | bits;
  }

  memcpy(monitor->host + LAB_MONITOR_CODE, lab_kvm_monitor_code,
         (size_t)(lab_kvm_monitor_code_end - lab_kvm_monitor_code));
  memcpy(monitor->host + LAB_MONITOR_USER_CODE, lab_kvm_user_code,
         (size_t)(lab_kvm_user_code_end - lab_kvm_user_code));

  // Descriptors of flat segments, with the accessed bit set (SDM 3A, 3.4.5).
  uint64_t *gdt = words(monitor, LAB_MONITOR_TABLES + LAB_MONITOR_GDT);
  gdt[LAB_KERNEL_CODE / 8] = UINT64_C(0x00AF9B000000FFFF);
  gdt[LAB_KERNEL_DATA / 8] = UINT64_C(0x00CF93000000FFFF);
  gdt[LAB_USER_DATA / 8] = UINT64_C(0x00CFF3000000FFFF);
  gdt[LAB_USER_CODE / 8] = UINT64_C(0x00AFFB000000FFFF);
}

// The parts that hold an address of the monitor: return addresses, the task's stacks, the gates (SDM 3A, 6.14 and 7.7).
void lab_monitor_relocate(const lab_monitor *monitor) {
  *words(monitor, LAB_MONITOR_CODE + LAB_RETURN_OFFSET) = kernel_address(monitor, lab_kvm_monitor_done);
  *words(monitor, LAB_MONITOR_USER_CODE + LAB_RETURN_OFFSET) = user_address(monitor, lab_kvm_user_done);

  uint64_t tables = monitor->virtual + LAB_MONITOR_TABLES;
  uint64_t stack_end = monitor->virtual + LAB_MONITOR_STACK + LAB_PAGE_BYTE_COUNT;
  uint8_t *task = monitor->host + LAB_MONITOR_TABLES + LAB_MONITOR_TSS;
  memcpy(task + 4, &stack_end, 8);   // RSP0
  memcpy(task + 36, &stack_end, 8);  // IST1

  uint64_t task_address = tables + LAB_MONITOR_TSS;
  uint64_t *gdt = words(monitor, LAB_MONITOR_TABLES + LAB_MONITOR_GDT);
  gdt[LAB_TASK / 8] = UINT64_C(0x00008B0000000067) | (task_address & 0xFFFFFF) << 16 |
                      (task_address >> 24 & 0xFF) << 56;
  gdt[LAB_TASK / 8 + 1] = task_address >> 32;

  uint64_t *idt = words(monitor, LAB_MONITOR_TABLES + LAB_MONITOR_IDT);
  for (uint64_t vector = 0; vector < LAB_VECTOR_COUNT; vector++) {
    uint64_t stub = monitor->virtual + LAB_MONITOR_CODE + vector * LAB_STUB_BYTE_COUNT;
    // An interrupt gate on IST 1; int3 is allowed in user mode.
    uint64_t type = vector == VECTOR_BREAKPOINT ? 0xEE01 : 0x8E01;
    idt[vector * 2] = (stub & 0xFFFF) | LAB_KERNEL_CODE << 16 | type << 32 | (stub >> 16 & 0xFFFF) << 48;
    idt[vector * 2 + 1] = stub >> 32;
  }
}

void lab_record_write(const lab_monitor *monitor, lab_record *record, const lab_kvm_probe *probe) {
  uint64_t code = monitor->virtual + (probe->user ? LAB_MONITOR_USER_CODE : LAB_MONITOR_CODE);
  uint64_t start = probe->address;
  if (probe->access == LAB_KVM_READ) {
    start = probe->user ? user_address(monitor, lab_kvm_user_read) : kernel_address(monitor, lab_kvm_monitor_read);
  } else if (probe->access == LAB_KVM_WRITE) {
    start = probe->user ? user_address(monitor, lab_kvm_user_write) : kernel_address(monitor, lab_kvm_monitor_write);
  }
  *record = (lab_record){
      .rip = start,
      .cs = probe->user ? LAB_USER_CODE : LAB_KERNEL_CODE,
      .rflags = LAB_RFLAGS_FIXED,
      .rsp = code + LAB_RETURN_OFFSET,
      .ss = probe->user ? LAB_USER_DATA : LAB_KERNEL_DATA,
      .rbx = probe->address,
      .rax = probe->access == LAB_KVM_WRITE ? probe->value : 0};
}

void lab_record_read(const lab_monitor *monitor, const lab_record *record, lab_kvm_probe *probe) {
  bool done = probe->user ? record->vector == VECTOR_BREAKPOINT && record->end_cs == LAB_USER_CODE &&
                                record->end_rip == user_address(monitor, lab_kvm_user_done) + 1
                          : record->vector == LAB_VECTOR_DONE;
  bool page_fault = record->vector == VECTOR_PAGE_FAULT;
  probe->outcome = done                                          ? LAB_KVM_DONE
                   : page_fault                                  ? LAB_KVM_PAGE_FAULT
                   : record->vector == VECTOR_GENERAL_PROTECTION ? LAB_KVM_GENERAL_PROTECTION
                                                                 : LAB_KVM_OTHER;
  probe->vector = done ? LAB_KVM_NO_VECTOR : (uint8_t)record->vector;
  probe->error_code = done ? 0 : (uint32_t)record->error_code;
  probe->fault_address = page_fault ? record->cr2 : 0;
  if (probe->access != LAB_KVM_WRITE) probe->value = done ? record->rax : 0;
}

#endif
