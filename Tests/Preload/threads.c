// Threads that start and end: none leaves memory behind, whoever frees its blocks.
//
//   threads COUNT    the number of threads in all; fails when the process keeps growing
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "expect.h"
#include "statm.h"

enum { at_once = 8, blocks_per_thread = 40 };

struct parcel {
  void *blocks[blocks_per_thread];
  unsigned seed;
};

/// Frees the blocks that an earlier thread left in the parcel and refills it for a later one.
static void *pass_on(void *argument) {
  struct parcel *parcel = argument;
  for (unsigned i = 0; i < blocks_per_thread; i++) {
    free(parcel->blocks[i]);
    size_t size = (parcel->seed * 7 + i * 61) % (i % 10 == 0 ? 60000 : 700) + 1;
    parcel->blocks[i] = malloc(size);
    EXPECT(parcel->blocks[i] != NULL);
    memset(parcel->blocks[i], 1, size);
    free(opaque(malloc(size)));
  }
  parcel->seed++;
  return NULL;
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  long rounds = atol(argv[1]) / at_once, settled_after = rounds / 4;
  static struct parcel parcels[at_once];
  for (unsigned i = 0; i < at_once; i++) parcels[i].seed = i * 1000;
  size_t settled = 0;
  for (long round = 0; round < rounds; round++) {
    pthread_t threads[at_once];
    // The parcels move round: threads free the blocks of others.
    for (int i = 0; i < at_once; i++)
      EXPECT(pthread_create(&threads[i], NULL, pass_on, &parcels[(i + round) % at_once]) == 0);
    for (int i = 0; i < at_once; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
    if (round == settled_after) settled = resident_byte_count() / 1024;
  }
  size_t end = resident_byte_count() / 1024;
  dprintf(STDOUT_FILENO, "resident after a quarter of the threads: %zu KiB, after all: %zu KiB\n", settled, end);
  EXPECT(end <= settled + settled / 4 + 2048);
  return 0;
}
