// No false alarm: free blocks leave links and marks in memory that a program did not write. The program may copy them
// to the start of a block of its own and free that block.
//
//   copies SITUATION   situations: array, buffer, freed, large
//
// array   the elements of an array with uninitialised names move down by one
// buffer  the unused half of a buffer moves to its start
// freed   a block gets the bytes of a freed one (a read after free, but no double free)
// large   buffer, with blocks above 32 KiB
#include <malloc.h>
#include <pthread.h>
#include <string.h>

#include "expect.h"

enum { count = 20000 };
static void *blocks[count];

/// Leaves free blocks of `size` bytes all over the heap.
static void leave_marks(size_t size, size_t how_many) {
  for (size_t i = 0; i < how_many; i++) EXPECT((blocks[i] = opaque(malloc(size))) != NULL);
  for (size_t i = 0; i < how_many; i++) free(blocks[i]);
}

struct record {
  char name[48];
  long length, set;
};

static void array(void) {
  enum { record_count = 16, list_count = 2000 };
  leave_marks(32, count);
  for (size_t i = 0; i < list_count; i++) {
    struct record *list = opaque(malloc(record_count * sizeof *list));
    for (size_t j = 0; j < record_count; j++) list[j].length = list[j].set = 0;
    memmove(list, list + 1, (record_count - 1) * sizeof *list);
    blocks[i] = list;
  }
  for (size_t i = 0; i < list_count; i++) free(blocks[i]);
}

static void move_halves(size_t small, size_t big, size_t small_count, size_t big_count) {
  leave_marks(small, small_count);
  for (size_t i = 0; i < big_count; i++) {
    char *buffer = opaque(malloc(big));
    memmove(buffer, buffer + big / 2, big / 2);
    blocks[i] = buffer;
  }
  for (size_t i = 0; i < big_count; i++) {
    EXPECT(malloc_usable_size(blocks[i]) >= big);
    free(blocks[i]);
  }
}

static void buffer(void) {
  for (size_t small = 16; small <= 1024; small *= 2) move_halves(small, 4 * small, count, 4000);
}

static void freed(void) {
  for (size_t size = 16; size <= 4096; size *= 2) {
    void *first = opaque(malloc(size)), *second = opaque(malloc(size));
    free(first);
    memcpy(second, opaque(first), 16);
    free(second);
  }
}

static void *run(void *situation) {
  if (strcmp(situation, "array") == 0) array();
  if (strcmp(situation, "buffer") == 0) buffer();
  if (strcmp(situation, "freed") == 0) freed();
  if (strcmp(situation, "large") == 0) move_halves(40000, 320000, 500, 60);
  return NULL;
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  run(argv[1]);
  // Once more in a thread, with the marks that the first one left.
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, run, argv[1]) == 0 && pthread_join(thread, NULL) == 0);
  return 0;
}
