#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

#include <link.h>
#include <sys/syscall.h>
#include <unistd.h>

// The header of the image that this code is linked into; the linker defines it.
extern const ElfW(Ehdr) __ehdr_start LAB_HIDDEN;

/// Locks the pages from `start` to `end`.
static void lock_pages(uintptr_t start, uintptr_t end) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  start &= ~(page - 1);
  if (start < end) syscall(SYS_mlock, start, end - start);
}

void lab_malloc_lock_library(void) {
  int saved = errno;
  uintptr_t image = (uintptr_t)&__ehdr_start;
  const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(image + __ehdr_start.e_phoff);
  uintptr_t handlers = lab_malloc_emergency();
  for (unsigned index = 0; index < __ehdr_start.e_phnum; index++) {
    if (segments[index].p_type != PT_LOAD) continue;
    uintptr_t start = image + segments[index].p_vaddr, end = start + segments[index].p_memsz;
    if (handlers < start || handlers >= end) {
      lock_pages(start, end);
    } else {
      lock_pages(start, handlers + LAB_MALLOC_EMERGENCY_LOCKED_BYTE_COUNT);
      lock_pages(handlers + LAB_MALLOC_EMERGENCY_BYTE_COUNT, end);
    }
  }
  errno = saved;
}

#endif
