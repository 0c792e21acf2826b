// Programs for readers to look at. Each prints one line when it is ready, and ends when its standard input does.
//
//   heaps rest SEED        blocks of all sizes, some freed; prints heaplab_read_statistics' live and committed bytes
//   heaps fill MEBIBYTES   so much in blocks of 100 to 1,000 bytes
//   heaps threads COUNT    threads that exchange blocks of 64 to 16,384 bytes for ever
//   heaps fork             a child that allocates, and prints its number
//   heaps exec PROGRAM...  becomes another program, with the same number
//   heaps leak             2 MiB more each tenth of a second
//   heaps retention        frees a block of 256 MiB, and falls idle
//   heaps fragmentation    frees all of 256 MiB except for a block in each page, and goes on
//   heaps steady           256 MiB, of which a part is exchanged for ever
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heaplab.h"

static uint64_t state = 1;
static uint64_t drawn(uint64_t *seed) {
  *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
  return *seed;
}

static void *block(size_t size) {
  char *p = malloc(size);
  if (p == NULL) abort();
  memset(p, 0x5A, size);
  return p;
}

/// Waits for the end of standard input.
static void wait_for_end(void) {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {}
}

/// Says that the program is ready. Nothing of this allocates.
static void ready(const char *line) {
  if (write(STDOUT_FILENO, line, strlen(line)) < 0) abort();
}

static void rest(uint64_t seed) {
  state = seed;
  enum { count = 3000 };
  static void *held[count];
  for (int round = 0; round < 4; round++)
    for (int i = 0; i < count; i++) {
      static const size_t most[] = {100, 2000, 32 << 10, 300 << 10, 3 << 20};
      free(held[i]);
      uint64_t kind = drawn(&state) % 40;
      held[i] = drawn(&state) % 3 == 0 ? NULL : block(1 + drawn(&state) % most[kind < 20 ? 0 : kind < 34 ? 1 : kind < 38 ? 2 : kind < 39 ? 3 : 4]);
    }
  held[0] = realloc(held[0], 40 << 20);
  static struct heaplab_statistics now;
  void (*read_statistics)(struct heaplab_statistics *, size_t) = dlsym(RTLD_DEFAULT, "heaplab_read_statistics");
  static char line[200];
  read_statistics(&now, sizeof now);
  snprintf(line, sizeof line, "%zu %zu %zu %zu %zu %zu %zu\n", now.live_byte_count, now.committed_byte_count,
           now.mapped_byte_count, now.mapped_count, now.heap_count, now.span_count, now.arena_byte_count);
  ready(line);
  wait_for_end();
}

static void fill(size_t mebibytes) {
  size_t sum = 0;
  while (sum < mebibytes << 20) {
    size_t size = 100 + drawn(&state) % 900;
    block(size);
    sum += size;
  }
  ready("ready\n");
  wait_for_end();
}

enum { slot_count = 512, thread_maximum = 64 };
static void *_Atomic slots[slot_count];
static void *churn(void *seed) {
  uint64_t mine = (uintptr_t)seed * 0x9E3779B97F4A7C15u | 1;
  for (;;) {
    size_t size = drawn(&mine) % 10 == 0 ? 1024 + drawn(&mine) % 15360 : 64 + drawn(&mine) % 448;
    char *new = malloc(size);
    if (new == NULL) abort();
    new[0] = new[size - 1] = 1;
    free(__atomic_exchange_n((void **)&slots[drawn(&mine) % slot_count], new, __ATOMIC_ACQ_REL));
  }
  return NULL;
}

static void leak(void) {
  ready("ready\n");
  for (;;) {
    for (int i = 0; i < 2048; i++) block(1000);
    usleep(100000);
  }
}

enum { kept_count = 1 << 19 };
static void *kept[kept_count];
static void fragmentation(void) {
  for (int i = 0; i < kept_count; i++) kept[i] = block(500);
  for (int i = 0; i < kept_count; i++)
    if (i % 8 != 0) free(kept[i]);
  ready("ready\n");
  for (int i = 0;; i = (i + 1) % 512) {
    // It goes on: a steady turnover of other sizes.
    void *p = block(2000 + (size_t)i);
    usleep(2000);
    free(p);
  }
}

static void retention(void) {
  // The mapping is kept for the next such block until the purge delay is over; no slow path comes to see that it is.
  free(block(256 << 20));
  ready("ready\n");
  wait_for_end();
}

static void steady(void) {
  for (int i = 0; i < kept_count; i++) kept[i] = block(500);
  ready("ready\n");
  for (;;) {
    for (int i = 0; i < 1000; i++) {
      size_t at = drawn(&state) % kept_count;
      free(kept[at]);
      kept[at] = block(500);
    }
    usleep(10000);
  }
}

int main(int count, char **words) {
  const char *mode = count > 1 ? words[1] : "";
  const char *argument = count > 2 ? words[2] : "1";
  if (strcmp(mode, "rest") == 0) rest(strtoull(argument, 0, 10));
  else if (strcmp(mode, "fill") == 0) fill(strtoul(argument, 0, 10));
  else if (strcmp(mode, "leak") == 0) leak();
  else if (strcmp(mode, "retention") == 0) retention();
  else if (strcmp(mode, "fragmentation") == 0) fragmentation();
  else if (strcmp(mode, "steady") == 0) steady();
  else if (strcmp(mode, "threads") == 0) {
    unsigned threads = (unsigned)strtoul(argument, 0, 10);
    for (unsigned i = 0; i < threads; i++) {
      pthread_t thread;
      if (pthread_create(&thread, NULL, churn, (void *)(uintptr_t)(i + 1)) != 0) abort();
    }
    ready("ready\n");
    wait_for_end();
    _exit(0);
  } else if (strcmp(mode, "fork") == 0) {
    for (int i = 0; i < 1000; i++) block(1000);
    pid_t child = fork();
    if (child == 0) {
      for (int i = 0; i < 5000; i++) block(1000);
      char line[32];
      snprintf(line, sizeof line, "%d\n", getpid());
      ready(line);
      wait_for_end();
      exit(0);
    }
    wait_for_end();
  } else if (strcmp(mode, "exec") == 0) {
    block(1000);
    execvp(words[2], words + 2);
    return 127;
  } else {
    fprintf(stderr, "heaps: unknown mode '%s'; see the head of heaps.c\n", mode);
    return 2;
  }
  return 0;
}
