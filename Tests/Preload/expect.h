// What the preload's test programs share: a check that says where it failed and what it saw.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/// Ends the program with status 1 and a line that shows the condition, unless it holds.
#define EXPECT(condition)                                                                    \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      dprintf(STDERR_FILENO, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);        \
      _exit(1);                                                                              \
    }                                                                                        \
  } while (0)

/// Hides a value from the optimiser, which knows too much about malloc: it removes pairs and follows lifetimes.
static inline void *opaque(void *pointer) {
  __asm__ volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

/// The same for a size, so that no warning stops a test of a size that is too large.
static inline size_t opaque_size(size_t size) {
  __asm__ volatile("" : "+r"(size));
  return size;
}
