// The processor's own clock, for timing single calls of an allocator: reading it costs a few nanoseconds, where
// clock_gettime costs some twenty. How many ticks make a nanosecond is for the caller to calibrate.
#pragma once

#include <stdint.h>
#include <time.h>

/// Whether lab_clock_ticks reads the processor's counter; otherwise it counts nanoseconds of CLOCK_MONOTONIC.
static inline int lab_clock_is_processor(void) {
#if defined(__x86_64__) || defined(__aarch64__)
  return 1;
#else
  return 0;
#endif
}

/// Nanoseconds of CLOCK_MONOTONIC.
static inline uint64_t lab_clock_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// The clock's ticks. Instructions before and after may overlap with the reading by a few nanoseconds.
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
