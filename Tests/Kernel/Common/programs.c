// Programs for user mode. They are copied to a page of each process, so they call nothing outside this file and have no
// data. Compiled with -fpic and without jump tables.
#include "machine.h"

#define USER __attribute__((section(".user"), used, noinline))

/// 1 + … + `count` by recursion, in frames of at least a KiB: its stack grows by page faults.
USER static uint64_t sum(uint64_t count) {
  volatile uint64_t frame[128];
  frame[count % 128] = count;
  if (count == 0) return 0;
  // The frame is read after the call, which is therefore no loop.
  uint64_t below = sum(count - 1);
  return below + frame[count % 128];
}
USER uint64_t user_sum(uint64_t count, uint64_t unused) {
  (void)unused;
  cpu_user_exit(sum(count));
}

/// Writes each page's address to it.
USER uint64_t user_fill(uint64_t start, uint64_t page_count) {
  for (uint64_t page = 0; page < page_count; page++) {
    uint64_t address = start + page * 4096;
    *(volatile uint64_t *)address = address;
  }
  cpu_user_exit(page_count);
}

/// Counts the pages that hold their address.
USER uint64_t user_check(uint64_t start, uint64_t page_count) {
  uint64_t count = 0;
  for (uint64_t page = 0; page < page_count; page++) {
    uint64_t address = start + page * 4096;
    count += *(volatile uint64_t *)address == address;
  }
  cpu_user_exit(count);
}

/// Reads the page at `start` until it is taken away: the fault ends the program. The next page counts the reads.
USER uint64_t user_watch(uint64_t start, uint64_t unused) {
  (void)unused;
  volatile uint64_t *watched = (volatile uint64_t *)start, *count = (volatile uint64_t *)(start + 4096);
  for (;;) {
    (void)*watched;
    *count += 1;
  }
}
