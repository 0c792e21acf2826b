// Threads that hand all their blocks to another: it checks and frees them while their allocating thread sleeps or
// works. No block may be handed out twice.
//
//   handover ROUNDS    the number of turns of each thread
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "expect.h"

enum { thread_count = 6, block_count = 12000 };

/// Blocks that one thread filled, on their way to the next thread that takes them.
struct load {
  unsigned *blocks[block_count];
  _Atomic int is_taken;
};
static struct load loads[thread_count / 2];
static long round_count;

static unsigned draw(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/// Fills a block of `count` words: its size, then its own stamp in every word.
static void fill(unsigned *block, unsigned count, unsigned stamp) {
  block[0] = count;
  for (unsigned i = 1; i < count; i++) block[i] = stamp + i;
}

static void check(const unsigned *block) {
  for (unsigned i = 2; i < block[0]; i++) EXPECT(block[i] == block[1] + i - 1);
}

/// Empties a load in some order and refills it.
static void turn(struct load *load, unsigned *random) {
  unsigned stride = draw(random) % 2 ? 1 : 7919;  // a prime that does not divide the number of blocks
  for (unsigned i = 0, at = 0; i < block_count; i++, at = (at + stride) % block_count) {
    unsigned *block = load->blocks[at];
    if (block == NULL) continue;
    check(block);
    free(block);
  }
  for (unsigned i = 0; i < block_count; i++) {
    // A few large ones; most loads have many sizes, some only one.
    unsigned bytes = i % 200 == 0 ? 8192 + draw(random) % 60000 : 16 + draw(random) % (draw(random) % 4 ? 500 : 3000);
    unsigned *block = malloc(bytes);
    EXPECT(block != NULL);
    fill(block, bytes / 4, draw(random));
    load->blocks[i] = block;
  }
}

static void *take_turns(void *argument) {
  unsigned random = (unsigned)(size_t)argument;
  for (long round = 0; round < round_count; round++) {
    struct load *load = &loads[draw(&random) % (thread_count / 2)];
    while (atomic_exchange(&load->is_taken, 1)) usleep(100);
    turn(load, &random);
    atomic_store(&load->is_taken, 0);
    if (draw(&random) % 4 == 0) usleep(2000);
  }
  return NULL;
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  round_count = atol(argv[1]);
  pthread_t threads[thread_count];
  for (size_t i = 0; i < thread_count; i++) EXPECT(pthread_create(&threads[i], NULL, take_turns, (void *)(i + 1)) == 0);
  for (int i = 0; i < thread_count; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
  return 0;
}
