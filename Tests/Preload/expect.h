// Shared by the preload's test programs: a check that reports its place and the values it saw.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/// Ends the program with status 1 and a line with the condition, unless it holds.
#define EXPECT(condition)                                                                    \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      dprintf(STDERR_FILENO, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);        \
      _exit(1);                                                                              \
    }                                                                                        \
  } while (0)

/// Hides a value from the optimiser, which knows malloc too well: it removes pairs and follows lifetimes.
static inline void *opaque(void *pointer) {
  __asm__ volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

/// The same for a size: no warning then stops a test of an excessive size.
static inline size_t opaque_size(size_t size) {
  __asm__ volatile("" : "+r"(size));
  return size;
}
