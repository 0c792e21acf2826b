// The deeds of misuse.c that use a block after its free, and what all of its deeds are made with.
#pragma once

#include <malloc.h>
#include <pthread.h>
#include <string.h>

#include "expect.h"

enum { tiny = 8, small = 64, medium = 3000, span = 20000, large = 200000, huge = 64 << 20 };

static void write_all(void *block, size_t size) { memset(block, 0x5A, size); }

static char *block_of(size_t size) {
  char *block = opaque(malloc(size));
  EXPECT(block != NULL);
  write_all(block, size);
  return block;
}

static void release(void *pointer) { free(opaque(pointer)); }

// Double frees.

static void twice(size_t size) {
  char *block = block_of(size);
  release(block);
  release(block);
}

static void double_tiny(void) { twice(tiny); }
static void double_small(void) { twice(small); }
static void double_medium(void) { twice(medium); }
static void double_span(void) { twice(span); }
static void double_large(void) { twice(large); }
static void double_huge(void) { twice(huge); }
static void double_nothing(void) { twice(0); }

static void with_one_between(size_t size) {
  char *block = block_of(size), *other = block_of(size);
  release(block);
  release(other);
  release(block);
}

static void double_tiny_one_between(void) { with_one_between(tiny); }
static void double_small_one_between(void) { with_one_between(small); }
static void double_medium_one_between(void) { with_one_between(medium); }
static void double_large_one_between(void) { with_one_between(large); }
static void double_huge_one_between(void) { with_one_between(huge); }

static void with_many_between(size_t size) {
  enum { count = 500 };
  static char *others[count];
  for (int i = 0; i < count; i++) others[i] = block_of(size);
  char *block = block_of(size);
  release(block);
  for (int i = 0; i < count; i++) release(others[i]);
  release(block);
}

static void double_small_many_between(void) { with_many_between(small); }
static void double_medium_many_between(void) { with_many_between(medium); }
static void double_large_many_between(void) { with_many_between(large); }

static void *release_in_thread(void *block) {
  release(block);
  return NULL;
}

static void in_thread(void *block) {
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, release_in_thread, block) == 0);
  EXPECT(pthread_join(thread, NULL) == 0);
}

static void *allocate_and_release(void *size) {
  char *block = block_of((size_t)size);
  release(block);
  return block;
}

static void double_small_other_thread_second(void) {
  char *block = block_of(small);
  release(block);
  in_thread(block);
}

static void double_small_other_thread_first(void) {
  char *block = block_of(small);
  in_thread(block);
  release(block);
}

static void double_small_other_thread_twice(void) {
  char *block = block_of(small);
  in_thread(block);
  in_thread(block);
}

static void double_large_other_thread(void) {
  char *block = block_of(large);
  in_thread(block);
  release(block);
}

static void double_huge_other_thread(void) {
  char *block = block_of(huge);
  in_thread(block);
  release(block);
}

static void double_aligned(void) {
  char *block = opaque(aligned_alloc(4096, 4096));
  write_all(block, 4096);
  release(block);
  release(block);
}

static void double_after_realloc(void) {
  char *block = block_of(small);
  char *moved = opaque(realloc(opaque(block), huge));
  write_all(moved, small);
  release(block);
}

static void realloc_after_free(void) {
  char *block = block_of(small);
  release(block);
  opaque(realloc(opaque(block), 2 * medium));
}

static void double_calloc(void) {
  char *block = opaque(calloc(10, small));
  release(block);
  release(block);
}

/// A block freed by a thread that has ended since; another thread has adopted its heap.
static void double_after_adoption_of(size_t size) {
  pthread_t thread;
  void *block;
  EXPECT(pthread_create(&thread, NULL, allocate_and_release, (void *)size) == 0);
  EXPECT(pthread_join(thread, &block) == 0);
  in_thread(block);
}

static void double_small_after_adoption(void) { double_after_adoption_of(small); }
static void double_medium_after_adoption(void) { double_after_adoption_of(medium); }
static void double_large_after_adoption(void) { double_after_adoption_of(large); }

/// The second free comes after the system has the block's memory back.
static void double_after_trim_of(size_t size) {
  enum { count = 400 };
  static char *blocks[count];
  int number = size > 100000 ? 40 : count;
  for (int i = 0; i < number; i++) blocks[i] = block_of(size);
  for (int i = 0; i < number; i++) release(blocks[i]);
  malloc_trim(0);
  release(blocks[number / 2]);
}

static void double_small_after_trim(void) { double_after_trim_of(small); }
static void double_medium_after_trim(void) { double_after_trim_of(medium); }
static void double_span_after_trim(void) { double_after_trim_of(span); }
static void double_large_after_trim(void) { double_after_trim_of(large); }

/// As above, but every other block is still in use.
static void double_after_trim_between(void) {
  enum { count = 400 };
  static char *blocks[count];
  for (int i = 0; i < count; i++) blocks[i] = block_of(medium);
  for (int i = 0; i < count; i++)
    if (i % 40 != 0) release(blocks[i]);
  malloc_trim(0);
  release(blocks[count / 2 + 1]);
}

/// Between the two frees, more is freed than any thread cache keeps.
static void double_large_after_eviction(void) {
  char *block = block_of(large), *others[200];
  for (int i = 0; i < 200; i++) others[i] = block_of(large);
  release(block);
  for (int i = 0; i < 200; i++) release(others[i]);
  release(block);
}

static void size_after_free(void) {
  char *block = block_of(small);
  release(block);
  (void)malloc_usable_size(opaque(block));
}
