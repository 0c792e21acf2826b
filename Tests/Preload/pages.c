// A preload that makes the system's pages look as large as LAB_TEST_PAGE_SIZE: sysconf says so, and new mappings lie at
// multiples of it. What a heap does in such pages is right for the smaller ones below, too. So this does not show that it
// never gives back part of a page, but that it is right with the rest.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t page_size(void) { return strtoul(getenv("LAB_TEST_PAGE_SIZE"), NULL, 10); }

long sysconf(int name) {
  if (name == _SC_PAGESIZE) return (long)page_size();
  long (*real)(int) = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
  return real(name);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  size_t more = address == NULL && file < 0 ? page_size() : 0;
  char *found = (char *)syscall(SYS_mmap, address, size + more, protection, flags, file, offset);
  if (found == MAP_FAILED || more == 0) return found;
  char *start = (char *)(((uintptr_t)found + more - 1) & ~(uintptr_t)(more - 1));
  if (start > found) munmap(found, (size_t)(start - found));
  munmap(start + size, (size_t)(found + more - start));
  return start;
}

/// Refuses what is no whole number of pages, as the system does.
int madvise(void *address, size_t size, int advice) {
  if (((uintptr_t)address | size) % page_size() != 0) return errno = EINVAL, -1;
  return (int)syscall(SYS_madvise, address, size, advice);
}
