// What heapbench needs of the system and Swift's Glibc module lacks: the processor's clock, memory files, and two
// questions about this process's memory. Functions that can fail return 0 or an errno.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/// Nanoseconds of CLOCK_MONOTONIC.
static inline uint64_t lab_clock_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// Nanoseconds that the calling thread has had a processor: what others do to it in between does not count.
static inline uint64_t lab_clock_thread_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// The processor's own counter, for timing single calls of an allocator: reading it costs a few nanoseconds, where
/// clock_gettime costs some twenty. How many ticks make a nanosecond is for the caller to calibrate. Instructions before and after may overlap with the reading by a few nanoseconds.
static inline uint64_t lab_clock_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return lab_clock_nanoseconds();
#endif
}

/// Creates an empty file in memory that closes with its last descriptor; `*descriptor` is closed on exec.
int lab_memory_file_create(const char *name, int *descriptor);

/// How many bytes of a block of this process's malloc its holder may use.
size_t lab_malloc_usable(void *block);

/// Keeps transparent huge pages out of this process, so that its resident set counts what it touched.
int lab_huge_pages_disable(void);

/// Gives what this process's malloc holds unused back to the system, where it can.
void lab_malloc_trim(void);

/// The version of the compiler that this was built with, as it names itself.
static inline const char *lab_compiler_version(void) { return __VERSION__; }
