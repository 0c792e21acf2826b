#define _GNU_SOURCE
#include "lab_platform.h"

#if defined(__linux__)

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// Not write(2): it is a cancellation point. A cancelled thread would end there, and the process would go on.
void lab_platform_fail(const char *line, unsigned long length) {
  while (length > 0) {
    long written = syscall(SYS_write, STDERR_FILENO, line, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    line += written;
    length -= (unsigned long)written;
  }
  abort();
}

void lab_platform_yield(void) { sched_yield(); }

_Thread_local uintptr_t lab_platform_thread_slot;

uintptr_t lab_platform_thread_begin(void) {
  static uintptr_t count;
  uintptr_t number = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
  lab_platform_thread_slot = ((uintptr_t)&lab_platform_thread_slot & LAB_PLATFORM_THREAD_ADDRESS) | number << 48;
  return lab_platform_thread_slot;
}

#endif
