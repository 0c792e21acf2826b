// A preload that makes the system's pages look as large as LAB_TEST_PAGE_SIZE: sysconf says so, new and moved mappings
// lie at multiples of it, and calls fail for addresses that are none, or change whole pages, as with a kernel that has such
// pages. Memory that the heap gives back in smaller parts than a page is refused.
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

/// `size` rounded up to whole pages, as the system does.
static size_t rounded(size_t size) { return (size + page_size() - 1) & ~(page_size() - 1); }

/// Whether `address` is the start of a page; if not, sets `errno`.
static int is_page(const void *address) {
  if ((uintptr_t)address % page_size() == 0) return 1;
  errno = EINVAL;
  return 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  // The loader maps parts of files next to each other; their places are not the heap's.
  if (file >= 0) return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
  if (address != NULL && !is_page(address)) return MAP_FAILED;
  size = rounded(size);
  size_t more = address == NULL ? page_size() : 0;
  char *found = (char *)syscall(SYS_mmap, address, size + more, protection, flags, file, offset);
  if (found == MAP_FAILED || more == 0) return found;
  char *start = (char *)(((uintptr_t)found + more - 1) & ~(uintptr_t)(more - 1));
  if (start > found) syscall(SYS_munmap, found, (size_t)(start - found));
  syscall(SYS_munmap, start + size, (size_t)(found + more - start));
  return start;
}

int munmap(void *address, size_t size) {
  return is_page(address) ? (int)syscall(SYS_munmap, address, rounded(size)) : -1;
}

int mprotect(void *address, size_t size, int protection) {
  return is_page(address) ? (int)syscall(SYS_mprotect, address, rounded(size), protection) : -1;
}

/// Moves to a place that it finds itself.
void *mremap(void *address, size_t size, size_t new_size, int flags, ...) {
  if (!is_page(address)) return MAP_FAILED;
  size = rounded(size), new_size = rounded(new_size);
  void *grown = (void *)syscall(SYS_mremap, address, size, new_size, 0);
  if (grown != MAP_FAILED || !(flags & MREMAP_MAYMOVE)) return grown;
  void *place = mmap(NULL, new_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) return place;
  return (void *)syscall(SYS_mremap, address, size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
}

/// Refuses what is no whole number of pages. The system would round it up, and drop more than it was told.
int madvise(void *address, size_t size, int advice) {
  if (((uintptr_t)address | size) % page_size() != 0) return errno = EINVAL, -1;
  return (int)syscall(SYS_madvise, address, size, advice);
}
