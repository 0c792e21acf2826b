// The layout that the guest's own code (lab_kvm_monitor.S) and its builder (lab_kvm.c) agree on. Plain numbers only,
// since the assembler reads this file too.
#pragma once

// Pages of the monitor's memory, as byte offsets from its start.
#define LAB_MONITOR_PML4 0x0000       // used only with five levels
#define LAB_MONITOR_PDPT 0x1000
#define LAB_MONITOR_PD 0x2000
#define LAB_MONITOR_PT 0x3000
#define LAB_MONITOR_CODE 0x4000       // kernel mode: read, execute
#define LAB_MONITOR_USER_CODE 0x5000  // user mode: read, execute
#define LAB_MONITOR_TABLES 0x6000     // GDT, TSS, IDT
#define LAB_MONITOR_STACK 0x7000      // grows down from the page's end
#define LAB_MONITOR_MAILBOX 0x8000    // messages between host and guest
#define LAB_MONITOR_BYTE_COUNT (LAB_MONITOR_MAILBOX + 0x20000)

// Offsets in the page of descriptor tables.
#define LAB_MONITOR_GDT 0x000
#define LAB_MONITOR_TSS 0x080
#define LAB_MONITOR_IDT 0x100

// Selectors.
#define LAB_KERNEL_CODE 0x08
#define LAB_KERNEL_DATA 0x10
#define LAB_USER_DATA 0x1B
#define LAB_USER_CODE 0x23
#define LAB_TASK 0x28

// Each exception has a stub of this size at the start of the code page.
#define LAB_STUB_BYTE_COUNT 16
#define LAB_VECTOR_COUNT 32

// The vector of a record whose access in kernel mode succeeded, without an exception.
#define LAB_VECTOR_DONE 256

// The return address of a fetch: the last eight bytes of its mode's code page.
#define LAB_RETURN_OFFSET 0xFF8

// The mailbox: a header, then records.
#define LAB_MAILBOX_CR3 0
#define LAB_MAILBOX_COUNT 8
#define LAB_MAILBOX_CURRENT 16
#define LAB_MAILBOX_RECORDS 64

// A record: the frame that IRETQ pops, two registers, and the exception's results.
#define LAB_RECORD_RIP 0
#define LAB_RECORD_CS 8
#define LAB_RECORD_RFLAGS 16
#define LAB_RECORD_RSP 24
#define LAB_RECORD_SS 32
#define LAB_RECORD_RBX 40
#define LAB_RECORD_RAX 48
#define LAB_RECORD_VECTOR 56
#define LAB_RECORD_ERROR 64
#define LAB_RECORD_CR2 72
#define LAB_RECORD_END_RIP 80
#define LAB_RECORD_END_CS 88
#define LAB_RECORD_BYTE_COUNT 96

// The guest writes to this port when all probes are done.
#define LAB_MONITOR_PORT 0x10

#ifndef __ASSEMBLER__

#include <stdbool.h>

#include "lab_kvm.h"

enum {
  LAB_PAGE_BYTE_COUNT = 4096,
  LAB_RFLAGS_FIXED = 2,
};

// Bits of an entry of the monitor's own tables (SDM 3A, 4.5).
#define LAB_ENTRY_PRESENT UINT64_C(1)
#define LAB_ENTRY_WRITABLE UINT64_C(2)
#define LAB_ENTRY_USER UINT64_C(4)
#define LAB_ENTRY_TABLE (LAB_ENTRY_PRESENT | LAB_ENTRY_WRITABLE | LAB_ENTRY_USER)
#define LAB_ENTRY_NO_EXECUTE (UINT64_C(1) << 63)

// The monitor's memory.
typedef struct lab_monitor {
  uint8_t *host;      // LAB_MONITOR_BYTE_COUNT bytes in this process
  uint64_t physical;  // their guest-physical address
  uint64_t virtual;   // their guest-virtual address under the current root
} lab_monitor;

// A probe as the guest's code reads it.
typedef struct lab_record {
  uint64_t rip, cs, rflags, rsp, ss;  // the frame that IRETQ pops
  uint64_t rbx, rax;                  // loaded before; RAX is stored after
  uint64_t vector, error_code, cr2, end_rip, end_cs;
} lab_record;

// The start of the guest's code, as an offset from the monitor's start.
uint64_t lab_monitor_start_offset(void);

// Fills the monitor's memory, except for the parts that hold one of its virtual addresses.
void lab_monitor_build(const lab_monitor *monitor);

// Fills the parts that hold a virtual address of the monitor.
void lab_monitor_relocate(const lab_monitor *monitor);

// Converts a probe to a record, and a record back to the probe's outcome.
void lab_record_write(const lab_monitor *monitor, lab_record *record, const lab_kvm_probe *probe);
void lab_record_read(const lab_monitor *monitor, const lab_record *record, lab_kvm_probe *probe);

#endif
