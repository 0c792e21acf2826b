#define _GNU_SOURCE
#include "lab_region.h"

#include "lab_call.h"
#include "lab_facts.h"
#include "lab_proc.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// Older C libraries lack these names.
// Kernel 5.14 and newer.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

static int map(uintptr_t byte_count, int protection, int flags, void **address) {
  int saved = errno;
  void *found = mmap(NULL, byte_count, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  int code = found == MAP_FAILED ? errno : 0;
  errno = saved;
  if (code == 0) *address = found;
  return code;
}

static int map_aligned(uintptr_t byte_count, uintptr_t alignment, int protection, int flags, void **address) {
  uintptr_t page = lab_facts_page_size();
  // Within `slack` bytes of wherever the system starts the range there is a multiple of the alignment.
  uintptr_t slack = alignment > page ? alignment - page : 0;
  uintptr_t whole;
  if (__builtin_add_overflow(byte_count, slack, &whole)) return ENOMEM;
  void *found;
  int code = map(whole, protection, flags, &found);
  if (code != 0) return code;
  uintptr_t first = (uintptr_t)found;
  uintptr_t start = (first + alignment - 1) & ~((uintptr_t)alignment - 1);
  // The kernel joins neighbours: an end can lie inside a larger mapping. Where that cannot be split, since the process
  // has as many mappings as it may have, the end stays. It is address space that nobody uses, with no memory behind it.
  if (start > first) LAB_CALL(munmap(found, start - first));
  uintptr_t end = start + byte_count;
  if (first + whole > end) LAB_CALL(munmap((void *)end, first + whole - end));
  *address = (void *)start;
  return 0;
}

int lab_region_reserve(uintptr_t byte_count, uintptr_t alignment, void **address) {
  return map_aligned(byte_count, alignment, PROT_NONE, MAP_NORESERVE, address);
}

int lab_region_map(uintptr_t byte_count, uintptr_t alignment, void **address) {
  return map_aligned(byte_count, alignment, PROT_READ | PROT_WRITE, 0, address);
}

int lab_region_map_at(void *address, uintptr_t byte_count, bool writable) {
  int saved = errno;
  int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  void *found = mmap(address, byte_count, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  int code = found == MAP_FAILED ? errno : 0;
  // A kernel older than 4.17 takes the address as a hint.
  if (code == 0 && found != address) {
    munmap(found, byte_count);
    code = EEXIST;
  }
  errno = saved;
  return code;
}

int lab_region_map_huge(uintptr_t byte_count, unsigned page_shift, void **address) {
  return map(byte_count, PROT_READ | PROT_WRITE, MAP_HUGETLB | (int)(page_shift << MAP_HUGE_SHIFT), address);
}

int lab_region_swap_back(void *address, uintptr_t byte_count) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  return LAB_CALL((intptr_t)mmap(address, byte_count, PROT_READ | PROT_WRITE, flags, -1, 0));
}

int lab_region_swap_huge(void *address, uintptr_t byte_count, unsigned page_shift) {
  // A trial elsewhere first: where it fails, the mapping in place is not touched.
  void *trial;
  int code = lab_region_map_huge(byte_count, page_shift, &trial);
  if (code != 0) return code;
  LAB_CALL(munmap(trial, byte_count));
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB | (int)(page_shift << MAP_HUGE_SHIFT);
  // MAP_FAILED is -1.
  code = LAB_CALL((intptr_t)mmap(address, byte_count, PROT_READ | PROT_WRITE, flags, -1, 0));
  // The kernel may have unmapped the pages before it failed.
  if (code != 0) lab_region_swap_back(address, byte_count);
  return code;
}

int lab_region_resize(void *address, uintptr_t byte_count, uintptr_t new_byte_count, void **new_address) {
  int saved = errno;
  void *found = mremap(address, byte_count, new_byte_count, MREMAP_MAYMOVE);
  int code = found == MAP_FAILED ? errno : 0;
  errno = saved;
  if (code == 0) *new_address = found;
  return code;
}

int lab_region_release(void *address, uintptr_t byte_count) { return LAB_CALL(munmap(address, byte_count)); }

int lab_region_reset(void *address, uintptr_t byte_count) {
  int saved = errno;
  void *found = mmap(
      address, byte_count, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  int code = found == MAP_FAILED ? errno : 0;
  errno = saved;
  return code;
}

int lab_region_protect(void *address, uintptr_t byte_count, bool read, bool write, bool execute) {
  int protection = (read ? PROT_READ : 0) | (write ? PROT_WRITE : 0) | (execute ? PROT_EXEC : 0);
  return LAB_CALL(mprotect(address, byte_count, protection));
}

/// Whether the system accepts any number as an advice. QEMU's user-mode emulator does, and may not follow the advice.
static bool accepts_all(void *address, uintptr_t byte_count) { return LAB_CALL(madvise(address, byte_count, -1)) == 0; }

int lab_region_advise(void *address, uintptr_t byte_count, enum lab_region_advice advice) {
  // An emulator that does not follow LAB_REGION_DROP would do harm as well. QEMU follows it from 7.1 on.
  if (advice == LAB_REGION_WIPE_ON_FORK && accepts_all(address, byte_count)) return ENOSYS;
  int number = MADV_DONTNEED;
  switch (advice) {
    case LAB_REGION_DROP: number = MADV_DONTNEED; break;
    case LAB_REGION_DROP_LAZILY: number = MADV_FREE; break;
    case LAB_REGION_HUGE: number = MADV_HUGEPAGE; break;
    case LAB_REGION_NO_HUGE: number = MADV_NOHUGEPAGE; break;
    case LAB_REGION_WIPE_ON_FORK: number = MADV_WIPEONFORK; break;
    case LAB_REGION_NO_DUMP: number = MADV_DONTDUMP; break;
    case LAB_REGION_DUMP: number = MADV_DODUMP; break;
  }
  return LAB_CALL(madvise(address, byte_count, number));
}

/// EFAULT unless every page of the range may be written.
static int check_writable(uint64_t start, uint64_t byte_count) {
  struct lab_lines lines;
  int code = lab_lines_open(&lines, "/proc/thread-self/maps");
  if (code != 0) return code;
  // Mappings come in address order: `next` is the first address that no writable mapping has covered yet.
  uint64_t next = start, end = start + byte_count;
  for (char *line; next < end && (line = lab_lines_next(&lines)) != NULL;) {
    const char *cursor = line;
    uint64_t first, last;
    if (!lab_proc_number(&cursor, 16, &first) || *cursor++ != '-' || !lab_proc_number(&cursor, 16, &last)) continue;
    // The permissions follow, as " rw-p".
    if (first <= next && next < last && cursor[0] == ' ' && cursor[1] != '\0' && cursor[2] == 'w') next = last;
  }
  lab_lines_close(&lines);
  return next < end ? EFAULT : 0;
}

int lab_region_prefault(void *address, uintptr_t byte_count) {
  int code;
  do {
    code = LAB_CALL(madvise(address, byte_count, MADV_POPULATE_WRITE));
  } while (code == EAGAIN || code == EINTR);
  if (code != EINVAL) return code;
  // Either a page cannot be written, or the kernel is older than 5.14 and refuses the advice for 0 bytes, too.
  if (LAB_CALL(madvise(address, 0, MADV_POPULATE_WRITE)) == 0) return EFAULT;
  code = check_writable((uintptr_t)address, byte_count);
  if (code != 0) return code;
  // An atomic addition of 0 writes to each page and changes nothing, even if another thread writes there.
  uintptr_t page = lab_facts_page_size();
  for (uintptr_t offset = 0; offset < byte_count; offset += page)
    __atomic_fetch_add((char *)address + offset, 0, __ATOMIC_RELAXED);
  return 0;
}

int lab_region_pin(void *address, uintptr_t byte_count, bool on_fault) {
  return LAB_CALL(syscall(SYS_mlock2, address, byte_count, on_fault ? MLOCK_ONFAULT : 0));
}

int lab_region_unpin(void *address, uintptr_t byte_count) { return LAB_CALL(munlock(address, byte_count)); }

int lab_region_resident(void *address, uintptr_t byte_count, uintptr_t *resident_byte_count) {
  uintptr_t page = lab_facts_page_size();
  unsigned char pages[4096];
  uintptr_t resident_count = 0;
  for (uintptr_t offset = 0; offset < byte_count;) {
    uintptr_t step = byte_count - offset;
    if (step > sizeof pages * page) step = sizeof pages * page;
    int code = LAB_CALL(mincore((char *)address + offset, step, pages));
    if (code != 0) return code;
    for (uintptr_t index = 0; index < step / page; index++) resident_count += pages[index] & 1;
    offset += step;
  }
  *resident_byte_count = resident_count * page;
  return 0;
}

/// Whether a `VmFlags:` line has the two-letter `flag`.
static bool has_flag(const char *line, const char *flag) {
  for (const char *found = strstr(line, flag); found != NULL; found = strstr(found + 1, flag))
    if (found[-1] == ' ' && (found[2] == ' ' || found[2] == '\0')) return true;
  return false;
}

int lab_region_locked(void *address, uintptr_t byte_count, uintptr_t *locked_byte_count) {
  struct lab_lines lines;
  int code = lab_lines_open(&lines, "/proc/thread-self/smaps");
  if (code != 0) return code;
  uint64_t start = (uint64_t)(uintptr_t)address, end = start + byte_count;
  uint64_t mapping_start = 0, mapping_end = 0;
  uintptr_t locked = 0;
  for (char *line; code == 0 && (line = lab_lines_next(&lines)) != NULL;) {
    // A mapping begins with a line "START-END ..." in lower-case hexadecimal and ends with its flags.
    const char *cursor = line;
    uint64_t first, last;
    if (lab_proc_number(&cursor, 16, &first) && *cursor == '-') {
      cursor++;
      if (lab_proc_number(&cursor, 16, &last)) mapping_start = first, mapping_end = last;
    } else if (strncmp(line, "VmFlags:", 8) == 0 && (has_flag(line, "lo") || has_flag(line, "ht"))) {
      uint64_t low = mapping_start > start ? mapping_start : start;
      uint64_t high = mapping_end < end ? mapping_end : end;
      uintptr_t resident = 0;
      if (low < high) code = lab_region_resident((void *)(uintptr_t)low, (uintptr_t)(high - low), &resident);
      locked += resident;
    }
  }
  lab_lines_close(&lines);
  if (code == 0) *locked_byte_count = locked;
  return code;
}
