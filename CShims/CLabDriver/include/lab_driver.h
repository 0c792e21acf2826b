// What heapbench-driver needs of libc: the malloc family behind pointers that hide it from the compiler, and the
// system's headers, for which Embedded Swift has no module.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// The malloc family of this process. A compiler that knew these functions would drop a pair of calls whose block
/// nobody reads. The empty assembly statement hides them at no cost.
struct lab_malloc_family {
  void *_Nonnull (*_Nonnull allocate)(size_t byte_count);
  void *_Nonnull (*_Nonnull allocate_zeroed)(size_t count, size_t byte_count);
  void *_Nonnull (*_Nonnull allocate_aligned)(size_t alignment, size_t byte_count);
  int (*_Nonnull allocate_any_aligned)(void *_Nullable *_Nonnull block, size_t alignment, size_t byte_count);
  void *_Nonnull (*_Nonnull reallocate)(void *_Nonnull block, size_t byte_count);
  void (*_Nonnull deallocate)(void *_Nonnull block);
};

static inline struct lab_malloc_family lab_malloc_family_of_process(void) {
  struct lab_malloc_family family;
  family.allocate = (void *(*)(size_t))malloc;
  family.allocate_zeroed = (void *(*)(size_t, size_t))calloc;
  family.allocate_aligned = (void *(*)(size_t, size_t))aligned_alloc;
  family.allocate_any_aligned = posix_memalign;
  family.reallocate = (void *(*)(void *, size_t))realloc;
  family.deallocate = free;
  __asm__("" : "+r"(family.allocate), "+r"(family.allocate_zeroed), "+r"(family.allocate_aligned),
          "+r"(family.allocate_any_aligned), "+r"(family.reallocate), "+r"(family.deallocate));
  return family;
}

/// Functions of the library that has this process's malloc, each NULL where that library lacks it.
struct lab_malloc_extensions {
  /// free_sized of C23, else C++'s operator delete(void *, size_t).
  void (*_Nullable deallocate_sized)(void *_Nonnull block, size_t byte_count);
  void (*_Nonnull deallocate)(void *_Nonnull block);
  size_t (*_Nullable usable_byte_count)(void *_Nonnull block);
};

struct lab_malloc_extensions lab_malloc_extensions_find(void);

/// The processor's counter, read after all instructions before it and before all after it, for the time of a single call;
/// CLOCK_MONOTONIC in nanoseconds where there is no counter. The caller calibrates how long a tick is.
static inline uint64_t lab_ordered_ticks(void) {
#if defined(__x86_64__)
  // rdtscp waits for the instructions before it, and lfence holds back those after it (Intel SDM 2B, RDTSCP).
  uint32_t low, high;
  __asm__ volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high) : : "rcx", "memory");
  return (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks) : : "memory");
  return ticks;
#else
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/// getrusage(2) of the calling thread: RUSAGE_THREAD is a GNU name, which the headers hide from Swift.
static inline void lab_thread_usage(struct rusage *_Nonnull usage) { getrusage((__rusage_who_t)1, usage); }

/// malloc_trim(0), of the allocator or else of the C library; nothing where neither has it.
void lab_malloc_trim(void);

/// open(2) for reading: Swift cannot call a variadic function.
static inline int lab_file_open(const char *_Nonnull path) { return open(path, O_RDONLY | O_CLOEXEC); }

/// Starts a program that is found on PATH, with /dev/null as its input and output. Returns 0 or an errno.
int lab_program_start(char *_Nullable const *_Nonnull arguments, pid_t *_Nonnull process);

/// Whether mmap(2) failed: MAP_FAILED is a cast, which Swift does not import.
static inline int lab_mapping_failed(const void *_Nullable address) { return address == MAP_FAILED; }
