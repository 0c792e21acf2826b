#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

struct lab_malloc_space lab_malloc_space;
unsigned long lab_malloc_empty_heap[512];
unsigned long lab_malloc_state_words[128] __attribute__((aligned(64)));
unsigned long lab_malloc_emergency_words[LAB_MALLOC_EMERGENCY_BYTE_COUNT / 8] __attribute__((aligned(4096)));
_Thread_local unsigned long lab_malloc_heap_slot = (unsigned long)lab_malloc_empty_heap;
_Thread_local unsigned int lab_malloc_depth_slot;

// Runs one system call and turns its failure into a value, with `errno` as the caller had it.
#define LAB_RESULT(failed)        \
  ({                              \
    int saved = errno;            \
    int code = (failed) ? errno : 0; \
    errno = saved;                \
    code;                         \
  })

static int map_aligned(unsigned long byte_count, unsigned long alignment, int protection, int flags,
                       unsigned long *address) {
  unsigned long slack = alignment > 4096 ? alignment : 0;
  if (byte_count + slack < byte_count) return ENOMEM;
  void *found = MAP_FAILED;
  int code = LAB_RESULT((found = mmap(0, byte_count + slack, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)) ==
                        MAP_FAILED);
  if (code != 0) return code;
  unsigned long start = (unsigned long)found;
  unsigned long aligned = slack ? (start + alignment - 1) & ~(alignment - 1) : start;
  if (aligned > start) lab_malloc_unmap(start, aligned - start);
  unsigned long end = start + byte_count + slack;
  if (end > aligned + byte_count) lab_malloc_unmap(aligned + byte_count, end - aligned - byte_count);
  *address = aligned;
  return 0;
}

int lab_malloc_reserve(unsigned long byte_count, unsigned long alignment, unsigned long *address) {
  return map_aligned(byte_count, alignment, PROT_NONE, MAP_NORESERVE, address);
}

int lab_malloc_commit(unsigned long address, unsigned long byte_count) {
  return LAB_RESULT(mprotect((void *)address, byte_count, PROT_READ | PROT_WRITE) != 0);
}

int lab_malloc_decommit(unsigned long address, unsigned long byte_count) {
  return LAB_RESULT(madvise((void *)address, byte_count, MADV_DONTNEED) != 0);
}

int lab_malloc_map(unsigned long byte_count, unsigned long alignment, unsigned long *address) {
  return map_aligned(byte_count, alignment, PROT_READ | PROT_WRITE, 0, address);
}

int lab_malloc_unmap(unsigned long address, unsigned long byte_count) {
  return LAB_RESULT(munmap((void *)address, byte_count) != 0);
}

int lab_malloc_remap(unsigned long address, unsigned long old_count, unsigned long new_count, int may_move,
                     unsigned long *new_address) {
  void *found = MAP_FAILED;
  int code = LAB_RESULT(
      (found = mremap((void *)address, old_count, new_count, may_move ? MREMAP_MAYMOVE : 0)) == MAP_FAILED);
  if (code == 0) *new_address = (unsigned long)found;
  return code;
}

_Static_assert(sizeof(pthread_mutex_t) <= 64, "the mark is 64 bytes");

int lab_malloc_owner_init(unsigned long mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  pthread_mutexattr_t robust;
  pthread_mutexattr_init(&robust);
  pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  int code = pthread_mutex_init(mutex, &robust);
  pthread_mutexattr_destroy(&robust);
  return code != 0 ? code : pthread_mutex_lock(mutex);
}

int lab_malloc_owner_claim(unsigned long mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  int code = pthread_mutex_trylock(mutex);
  return code == EOWNERDEAD ? pthread_mutex_consistent(mutex) : code;
}

void lab_malloc_owner_release(unsigned long mark) { pthread_mutex_unlock((pthread_mutex_t *)mark); }

int lab_malloc_fork_page(unsigned long *address) {
  unsigned long page = 0;
  int code = lab_malloc_map(4096, 4096, &page);
  if (code != 0) return code;
  code = LAB_RESULT(madvise((void *)page, 4096, MADV_WIPEONFORK) != 0);
  if (code != 0) {
    lab_malloc_unmap(page, 4096);
    return code;
  }
  *address = page;
  return 0;
}

unsigned long lab_malloc_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

#endif
