// A preload that lets memory calls fail, where strace cannot: under a user-mode emulator. It sees the calls that the
// library and the program make by libc's functions, and not those that libc makes for itself.
//
//   LAB_TEST_CALL      the function: mmap, mremap, munmap, madvise or mprotect
//   LAB_TEST_REFUSED   which call of it fails with ENOMEM: a number from 1 on; "3+": the third and all later ones
//   LAB_TEST_CALLS     a file that gets a line for each call
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Counts a call of `function`; whether it must fail.
static int is_refused(const char *function) {
  static atomic_ulong count;
  if (strcmp(getenv("LAB_TEST_CALL"), function) != 0) return 0;
  unsigned long number = atomic_fetch_add(&count, 1) + 1;
  long file = syscall(SYS_openat, AT_FDCWD, getenv("LAB_TEST_CALLS"), O_WRONLY | O_APPEND);
  syscall(SYS_write, file, "\n", 1);
  syscall(SYS_close, file);
  char *end;
  unsigned long refused = strtoul(getenv("LAB_TEST_REFUSED"), &end, 10);
  return *end == '+' ? number >= refused : number == refused;
}

#define CALL(function, ...) (is_refused(#function) ? (errno = ENOMEM, -1) : syscall(SYS_##function, __VA_ARGS__))

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  return (void *)CALL(mmap, address, size, protection, flags, file, offset);
}

void *mremap(void *address, size_t size, size_t new_size, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  void *new_address = flags & MREMAP_FIXED ? va_arg(rest, void *) : NULL;
  va_end(rest);
  return (void *)CALL(mremap, address, size, new_size, flags, new_address);
}

int munmap(void *address, size_t size) { return (int)CALL(munmap, address, size); }
int madvise(void *address, size_t size, int advice) { return (int)CALL(madvise, address, size, advice); }
int mprotect(void *address, size_t size, int protection) { return (int)CALL(mprotect, address, size, protection); }
