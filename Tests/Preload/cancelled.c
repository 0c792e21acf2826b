// A cancelled thread runs on to the next cancellation point: no function of the malloc family is one.
//
//   cancelled family    the family's functions return, and their output appears
//   cancelled misuse    a double free ends the process, not the thread
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <string.h>

#include "expect.h"

static void of_all_sizes(void) {
  static void *blocks[300];
  for (int i = 0; i < 300; i++) blocks[i] = opaque(malloc((size_t)i * i * 7));
  for (int i = 0; i < 300; i++) free(blocks[i]);
}

static void resized(void) {
  void *block = opaque(calloc(1, 100));
  for (size_t size = 100; size < 200 << 20; size = size * 3 / 2) block = opaque(realloc(block, size));
  free(block);
}

static void aligned(void) {
  for (size_t alignment = 16; alignment <= 4 << 20; alignment *= 2) free(opaque(memalign(alignment, 100)));
}

static void trimmed(void) { malloc_trim(0); }
static void counted(void) { (void)mallinfo2(); }
static void refused(void) { free(opaque(malloc(opaque_size((size_t)1 << 60)))); }

/// Writes to standard error, here a pipe: the line must arrive at the other end.
static void printed(void) {
  int ends[2], saved = dup(STDERR_FILENO);
  EXPECT(saved >= 0 && pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
  malloc_stats();
  // read is a cancellation point.
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  EXPECT(dup2(saved, STDERR_FILENO) == STDERR_FILENO && close(ends[1]) == 0);
  char text[200];
  EXPECT(read(ends[0], text, sizeof text) > 50);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
}

static void misused(void) {
  void *block = opaque(malloc(100));
  free(block);
  free(opaque(block));
}

static void *cancelled(void *deed) {
  pthread_cancel(pthread_self());
  ((void (*)(void))deed)();
  return NULL;
}

static void *result_of(void (*deed)(void)) {
  pthread_t thread;
  void *result;
  EXPECT(pthread_create(&thread, NULL, cancelled, (void *)deed) == 0 && pthread_join(thread, &result) == 0);
  return result;
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  if (strcmp(argv[1], "misuse") == 0) {
    result_of(misused);
    return 0;
  }
  void (*const deeds[])(void) = {of_all_sizes, resized, aligned, trimmed, counted, refused, printed};
  for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) EXPECT(result_of(deeds[i]) == NULL);
  return 0;
}
