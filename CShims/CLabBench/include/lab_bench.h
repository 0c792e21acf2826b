// What heapbench needs of the system beyond Swift's Glibc module: the processor's clock, memory files, and control over
// this process's memory. Functions that can fail return 0 or an errno.
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

/// The calling thread's processor time in nanoseconds. Time in which other threads had the processor does not count.
static inline uint64_t lab_clock_thread_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// The processor's own counter, for timing single calls of an allocator; where there is none, CLOCK_MONOTONIC in
/// nanoseconds. Reading the counter costs a few nanoseconds, where clock_gettime costs about twenty. The caller
/// calibrates how long a tick is. Instructions before and after may overlap with the reading by a few nanoseconds.
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

/// Creates an empty file in memory, which disappears with its last descriptor; `*descriptor` is closed on exec.
int lab_memory_file_create(const char *name, int *descriptor);

/// The usable bytes of a block of this process's malloc.
size_t lab_malloc_usable(void *block);

/// Disables transparent huge pages in this process: its resident set then counts only the pages that it touched.
int lab_huge_pages_disable(void);

/// Returns unused memory of this process's malloc to the system, where the C library can.
void lab_malloc_trim(void);

/// The version of the compiler that built this, in the compiler's own words.
static inline const char *lab_compiler_version(void) { return __VERSION__; }

/// The Swift runtime's demangler, which no header declares: a C string from malloc; NULL for a name that is not Swift's.
char *swift_demangle(const char *name, size_t byte_count, char *buffer, size_t *buffer_byte_count, uint32_t flags);
static inline char *lab_swift_demangle(const char *name, size_t byte_count) {
  return swift_demangle(name, byte_count, NULL, NULL, 0);
}

// ---- Other processes ----

/// A range of another process's memory.
struct lab_process_range {
  uint64_t address;
  uint64_t byte_count;
};
/// Copies the ranges of a process's memory behind each other to `target`, which has room for all of them. EFAULT when a
/// part of them is not mapped, EPERM when this process may not look, ESRCH when the process ended.
int lab_process_read(int process, const struct lab_process_range *ranges, size_t count, void *target);
/// Writes a word to a process's memory. The same errors.
int lab_process_write(int process, uint64_t address, uint64_t word);
/// Milliseconds of CLOCK_MONOTONIC.
uint64_t lab_clock_milliseconds(void);
/// Milliseconds of CLOCK_BOOTTIME.
uint64_t lab_clock_boot_milliseconds(void);

// ---- zstd, from the system's library: traces are stored in its frames ----

/// Whether libzstd.so.1 is there; loads it at the first call.
int lab_zstd_is_there(void);
/// The most bytes that `byte_count` bytes take when compressed. Only where the library is there, as also below.
size_t lab_zstd_bound(size_t byte_count);
/// Compresses `byte_count` bytes into one frame and returns its length; 0 when it does not fit.
size_t lab_zstd_compress(void *target, size_t capacity, const void *source, size_t byte_count, int level);
/// Decompresses one frame and returns the length of its content; SIZE_MAX when it is damaged or does not fit.
size_t lab_zstd_decompress(void *target, size_t capacity, const void *source, size_t byte_count);
