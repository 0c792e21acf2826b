// Threads that come and go, and blocks that go from one to the other: `threads THREADS ROUNDS`. Prints the resident
// set at the first tenth and at the end, in KiB, and fails when the second is twice the first.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 4096
static _Atomic(unsigned char *) exchange[SLOTS];

static long resident(void) {
  long pages = 0, skipped = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &skipped, &pages) != 2) abort();
  fclose(file);
  return pages * 4;
}

static void *work(void *argument) {
  unsigned seed = (unsigned)(long)argument * 2654435761u + 1;
  for (int i = 0; i < 400; i++) {
    seed = seed * 1103515245 + 12345;
    size_t size = 8 + (seed >> 8) % (i % 16 ? 600 : 60000);
    unsigned char *block = malloc(size);
    if (!block) abort();
    block[0] = (unsigned char)size;
    block[size - 1] = (unsigned char)size;
    unsigned char *old = atomic_exchange_explicit(&exchange[(seed >> 4) % SLOTS], block, memory_order_acq_rel);
    free(old);
  }
  return 0;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 8;
  int rounds = count > 2 ? atoi(arguments[2]) : 1000;
  long early = 0;
  pthread_t thread[64];
  for (long round = 0; round < rounds; round++) {
    for (long t = 0; t < threads; t++)
      if (pthread_create(&thread[t], 0, work, (void *)(round * 64 + t)) != 0) abort();
    for (int t = 0; t < threads; t++) pthread_join(thread[t], 0);
    if (round == rounds / 10) early = resident();
  }
  long late = resident();
  printf("%d threads: %ld KiB early, %ld KiB late\n", threads * rounds, early, late);
  return late > 2 * early;
}
