// The memory of the process, from /proc/self/statm; without stdio, which allocates.
#pragma once

#include <fcntl.h>

#include "expect.h"

static inline void read_statm(long *mapped_page_count, long *resident_page_count) {
  char text[64] = {0};
  int file = open("/proc/self/statm", O_RDONLY);
  EXPECT(file >= 0 && read(file, text, sizeof text - 1) > 0);
  close(file);
  EXPECT(sscanf(text, "%ld %ld", mapped_page_count, resident_page_count) == 2);
}

/// Bytes of address space.
static inline size_t mapped_byte_count(void) {
  long mapped, resident;
  read_statm(&mapped, &resident);
  return (size_t)mapped * (size_t)sysconf(_SC_PAGESIZE);
}

/// Resident bytes.
static inline size_t resident_byte_count(void) {
  long mapped, resident;
  read_statm(&mapped, &resident);
  return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}
