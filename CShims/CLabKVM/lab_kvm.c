#include "lab_kvm.h"

#include <errno.h>

#if defined(__x86_64__) && defined(__linux__)

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lab_kvm_monitor.h"

enum {
  CR4_PAE = 1 << 5,
  CR4_LA57 = 1 << 12,
  CR4_SMEP = 1 << 20,
  CR4_SMAP = 1 << 21,
};

struct lab_kvm_guest {
  int kvm, machine, processor;  // file descriptors, -1 until open
  struct kvm_run *run;
  size_t run_byte_count;
  lab_monitor monitor;
  lab_kvm_memory memory;
  lab_kvm_features features;
  struct kvm_sregs reset;  // the special registers as KVM made them
  lab_kvm_root root;
  bool has_root, running;  // running: registers are as the last batch of this root left them
};

static void segment_write(struct kvm_segment *segment, uint16_t selector, uint8_t type, bool code) {
  *segment = (struct kvm_segment){
      .limit = 0xFFFFFFFF, .selector = selector, .type = type, .present = 1, .s = 1, .l = code, .db = !code, .g = 1};
}

// Puts the processor at the monitor's start in long mode under the current root.
static int processor_reset(lab_kvm_guest *guest) {
  uint64_t tables = guest->monitor.virtual + LAB_MONITOR_TABLES;
  struct kvm_sregs special = guest->reset;
  special.cr0 = 0x80050033;  // PG, AM, WP, NE, ET, MP, PE
  special.cr3 = guest->root.physical_address;
  special.cr4 = CR4_PAE | (guest->root.level_count == 5 ? CR4_LA57 : 0) |
                (guest->root.controls & LAB_KVM_SMEP ? CR4_SMEP : 0) |
                (guest->root.controls & LAB_KVM_SMAP ? CR4_SMAP : 0);
  special.efer = 0xD00;  // LME, LMA, NXE
  segment_write(&special.cs, LAB_KERNEL_CODE, 11, true);
  segment_write(&special.ss, LAB_KERNEL_DATA, 3, false);
  segment_write(&special.ds, LAB_USER_DATA & ~3, 3, false);
  special.es = special.fs = special.gs = special.ds;
  special.gdt.base = tables + LAB_MONITOR_GDT;
  special.gdt.limit = LAB_TASK + 16 - 1;
  special.idt.base = tables + LAB_MONITOR_IDT;
  special.idt.limit = LAB_VECTOR_COUNT * 16 - 1;
  special.tr = (struct kvm_segment){
      .base = tables + LAB_MONITOR_TSS, .limit = 103, .selector = LAB_TASK, .type = 11, .present = 1};
  special.ldt = (struct kvm_segment){.unusable = 1};
  struct kvm_regs general = {
      .rip = guest->monitor.virtual + lab_monitor_start_offset(),
      .rsp = guest->monitor.virtual + LAB_MONITOR_STACK + LAB_PAGE_BYTE_COUNT,
      .rflags = LAB_RFLAGS_FIXED};
  if (ioctl(guest->processor, KVM_SET_SREGS, &special) < 0) return errno;
  if (ioctl(guest->processor, KVM_SET_REGS, &general) < 0) return errno;
  return 0;
}

// Gives the guest's processor the host's features, and records those that probes may use.
static int processor_describe(lab_kvm_guest *guest) {
  enum { ENTRY_COUNT = 256 };
  size_t byte_count = sizeof(struct kvm_cpuid2) + ENTRY_COUNT * sizeof(struct kvm_cpuid_entry2);
  struct kvm_cpuid2 *features = calloc(1, byte_count);
  if (features == NULL) return ENOMEM;
  features->nent = ENTRY_COUNT;
  int result = 0;
  if (ioctl(guest->kvm, KVM_GET_SUPPORTED_CPUID, features) < 0 ||
      ioctl(guest->processor, KVM_SET_CPUID2, features) < 0) {
    result = errno;
  }
  uint64_t physical_bit_count = 36;
  for (uint32_t index = 0; result == 0 && index < features->nent; index++) {
    const struct kvm_cpuid_entry2 *entry = &features->entries[index];
    if (entry->function == 7 && entry->index == 0) {
      guest->features.smep = entry->ebx >> 7 & 1;
      guest->features.smap = entry->ebx >> 20 & 1;
      guest->features.five_levels = entry->ecx >> 16 & 1;
    }
    if (entry->function == 0x80000001) guest->features.gigabyte_pages = entry->edx >> 26 & 1;
    if (entry->function == 0x80000008) physical_bit_count = entry->eax & 0xFF;
  }
  free(features);
  if (result == 0 && (guest->monitor.physical + LAB_MONITOR_BYTE_COUNT) >> physical_bit_count != 0) result = EINVAL;
  return result;
}

// Some KVMs announce five levels and refuse them, so test whether the processor accepts the bit.
static void five_levels_try(lab_kvm_guest *guest) {
  struct kvm_sregs special = guest->reset;
  special.cr4 |= CR4_LA57;
  guest->features.five_levels &= ioctl(guest->processor, KVM_SET_SREGS, &special) == 0;
  ioctl(guest->processor, KVM_SET_SREGS, &guest->reset);
}

static int memory_add(lab_kvm_guest *guest, uint32_t slot, uint64_t physical, void *host, uint64_t byte_count) {
  struct kvm_userspace_memory_region region = {
      .slot = slot, .guest_phys_addr = physical, .memory_size = byte_count, .userspace_addr = (uint64_t)host};
  return ioctl(guest->machine, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? errno : 0;
}

static int guest_build(lab_kvm_guest *guest) {
  guest->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (guest->kvm < 0) return errno;
  guest->machine = ioctl(guest->kvm, KVM_CREATE_VM, 0);
  if (guest->machine < 0) return errno;
  guest->monitor.host = mmap(NULL, LAB_MONITOR_BYTE_COUNT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (guest->monitor.host == MAP_FAILED) return errno;

  const lab_kvm_memory *memory = &guest->memory;
  const uint64_t gigabyte = UINT64_C(1) << 30;
  uint64_t end = memory->physical_start + memory->byte_count;
  guest->monitor.physical = (end + gigabyte - 1) & ~(gigabyte - 1);
  int result = memory_add(guest, 0, memory->physical_start, memory->host_address, memory->byte_count);
  if (result == 0) result = memory_add(guest, 1, guest->monitor.physical, guest->monitor.host, LAB_MONITOR_BYTE_COUNT);
  if (result != 0) return result;

  guest->processor = ioctl(guest->machine, KVM_CREATE_VCPU, 0);
  if (guest->processor < 0) return errno;
  int run_byte_count = ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (run_byte_count < 0) return errno;
  guest->run_byte_count = (size_t)run_byte_count;
  guest->run = mmap(NULL, guest->run_byte_count, PROT_READ | PROT_WRITE, MAP_SHARED, guest->processor, 0);
  if (guest->run == MAP_FAILED) return errno;
  result = processor_describe(guest);
  if (result != 0) return result;
  if (ioctl(guest->processor, KVM_GET_SREGS, &guest->reset) < 0) return errno;
  five_levels_try(guest);
  lab_monitor_build(&guest->monitor);
  return 0;
}

int lab_kvm_guest_open(const lab_kvm_memory *memory, lab_kvm_guest **result) {
  const uint64_t apic = 0xFEE00000;  // the interrupt controller's page: never memory
  uint64_t end;
  if ((uint64_t)memory->host_address % LAB_PAGE_BYTE_COUNT != 0 || memory->byte_count % LAB_PAGE_BYTE_COUNT != 0 ||
      memory->physical_start % LAB_PAGE_BYTE_COUNT != 0 || memory->byte_count == 0 ||
      __builtin_add_overflow(memory->physical_start, memory->byte_count, &end) ||
      (memory->physical_start <= apic && end > apic)) {
    return EINVAL;
  }
  lab_kvm_guest *guest = malloc(sizeof *guest);
  if (guest == NULL) return ENOMEM;
  *guest = (lab_kvm_guest){
      .kvm = -1, .machine = -1, .processor = -1, .run = MAP_FAILED, .monitor.host = MAP_FAILED, .memory = *memory};
  int error = guest_build(guest);
  if (error != 0) {
    lab_kvm_guest_close(guest);
    return error;
  }
  *result = guest;
  return 0;
}

void lab_kvm_guest_close(lab_kvm_guest *guest) {
  if (guest == NULL) return;
  lab_kvm_root_clear(guest);
  if (guest->run != MAP_FAILED) munmap(guest->run, guest->run_byte_count);
  if (guest->processor >= 0) close(guest->processor);
  if (guest->machine >= 0) close(guest->machine);
  if (guest->kvm >= 0) close(guest->kvm);
  if (guest->monitor.host != MAP_FAILED) munmap(guest->monitor.host, LAB_MONITOR_BYTE_COUNT);
  free(guest);
}

int lab_kvm_features_get(const lab_kvm_guest *guest, lab_kvm_features *features) {
  *features = guest->features;
  return 0;
}

// The root table's entry for the monitor, in this process, and its value.
static uint64_t *monitor_entry(const lab_kvm_guest *guest) {
  uint64_t offset = guest->root.physical_address - guest->memory.physical_start;
  return (uint64_t *)((uint8_t *)guest->memory.host_address + offset) + guest->root.monitor_slot;
}
static uint64_t monitor_entry_value(const lab_kvm_guest *guest) {
  uint64_t top = guest->root.level_count == 5 ? LAB_MONITOR_PML4 : LAB_MONITOR_PDPT;
  return (guest->monitor.physical + top) | LAB_ENTRY_TABLE;
}

int lab_kvm_root_clear(lab_kvm_guest *guest) {
  // The processor sets the accessed bit. An entry that differs otherwise is no longer the monitor's.
  const uint64_t accessed = 1 << 5;
  if (guest->has_root && (*monitor_entry(guest) & ~accessed) == monitor_entry_value(guest)) *monitor_entry(guest) = 0;
  guest->has_root = false;
  return 0;
}

// Where the processor does not walk the guest's tables itself, KVM keeps shadows of them, which this process's writes
// to the tables do not reach. Memory that is removed and added again has no shadows.
static int shadows_drop(lab_kvm_guest *guest) {
  const lab_kvm_memory *memory = &guest->memory;
  int error = memory_add(guest, 0, memory->physical_start, memory->host_address, 0);
  if (error != 0) return error;
  return memory_add(guest, 0, memory->physical_start, memory->host_address, memory->byte_count);
}

int lab_kvm_root_set(lab_kvm_guest *guest, const lab_kvm_root *root) {
  uint64_t offset = root->physical_address - guest->memory.physical_start;
  if (root->physical_address < guest->memory.physical_start || root->physical_address % LAB_PAGE_BYTE_COUNT != 0 ||
      offset >= guest->memory.byte_count || root->monitor_slot > 511 ||
      (root->level_count != 4 && root->level_count != 5)) {
    return EINVAL;
  }
  if ((root->level_count == 5 && !guest->features.five_levels) || ((root->controls & LAB_KVM_SMEP) && !guest->features.smep) ||
      ((root->controls & LAB_KVM_SMAP) && !guest->features.smap)) {
    return ENOTSUP;
  }
  // The monitor resumes under the old root, which must still map it.
  bool alike = guest->running && root->physical_address == guest->root.physical_address &&
               root->level_count == guest->root.level_count && root->monitor_slot == guest->root.monitor_slot &&
               root->controls == guest->root.controls;
  lab_kvm_root_clear(guest);
  guest->root = *root;
  if (*monitor_entry(guest) & LAB_ENTRY_PRESENT) return EBUSY;
  int error = shadows_drop(guest);
  if (error != 0) return error;

  *monitor_entry(guest) = monitor_entry_value(guest);
  guest->has_root = true;
  guest->running = alike;
  if (alike) return 0;
  // The slot's first address, with every bit above the translated ones set to the highest of them.
  unsigned shift = root->level_count == 5 ? 48 : 39;
  guest->monitor.virtual = (uint64_t)((int64_t)((uint64_t)root->monitor_slot << 55) >> (55 - shift));
  lab_monitor_relocate(&guest->monitor);
  return 0;
}

int lab_kvm_probes_run(lab_kvm_guest *guest, lab_kvm_probe *probes, size_t count) {
  if (!guest->has_root || count > LAB_KVM_PROBE_COUNT_MAX) return EINVAL;
  if (!guest->running) {
    int error = processor_reset(guest);
    if (error != 0) return error;
  }
  uint64_t *mailbox = (uint64_t *)(guest->monitor.host + LAB_MONITOR_MAILBOX);
  lab_record *records = (lab_record *)(mailbox + LAB_MAILBOX_RECORDS / 8);
  mailbox[LAB_MAILBOX_CR3 / 8] = guest->root.physical_address;
  mailbox[LAB_MAILBOX_COUNT / 8] = count;
  for (size_t index = 0; index < count; index++) lab_record_write(&guest->monitor, &records[index], &probes[index]);

  guest->running = false;
  while (ioctl(guest->processor, KVM_RUN, 0) < 0) {
    if (errno != EINTR && errno != EAGAIN) return errno;
  }
  if (guest->run->exit_reason != KVM_EXIT_IO || guest->run->io.port != LAB_MONITOR_PORT) return EIO;
  guest->running = true;
  for (size_t index = 0; index < count; index++) lab_record_read(&guest->monitor, &records[index], &probes[index]);
  return 0;
}

uint32_t lab_kvm_exit_reason(const lab_kvm_guest *guest) { return guest->run->exit_reason; }

#else

int lab_kvm_guest_open(const lab_kvm_memory *memory, lab_kvm_guest **guest) { return ENOTSUP; }
void lab_kvm_guest_close(lab_kvm_guest *guest) {}
int lab_kvm_features_get(const lab_kvm_guest *guest, lab_kvm_features *features) { return ENOTSUP; }
int lab_kvm_root_set(lab_kvm_guest *guest, const lab_kvm_root *root) { return ENOTSUP; }
int lab_kvm_root_clear(lab_kvm_guest *guest) { return ENOTSUP; }
int lab_kvm_probes_run(lab_kvm_guest *guest, lab_kvm_probe *probes, size_t count) { return ENOTSUP; }
uint32_t lab_kvm_exit_reason(const lab_kvm_guest *guest) { return 0; }

#endif
