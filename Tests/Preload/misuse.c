// Misuse of the malloc family: one variant per process. An allocator must end each with one line and SIGABRT.
//
//   misuse list      the names, and the line that each must end with, without the address
//   misuse NAME      runs the misuse; exit status 0 at the end: the allocator did not notice
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

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

// Frees of pointers that were never given out.

static char in_data[4096] = "data";

static void never(void *pointer) { release(pointer); }

static void invalid_stack(void) {
  char local[256];
  write_all(local, sizeof local);
  never(local + 16 - ((uintptr_t)local & 15));
}
static void invalid_stack_unaligned(void) {
  char local[256];
  write_all(local, sizeof local);
  never(local + 3);
}
static void invalid_data(void) { never(in_data); }
static void invalid_data_aligned(void) { never((char *)(((uintptr_t)in_data + 63) & ~(uintptr_t)63)); }
static void invalid_code(void) { never((void *)((uintptr_t)&invalid_data & ~(uintptr_t)15)); }
static void invalid_one(void) { never((void *)1); }
static void invalid_sixteen(void) { never((void *)16); }
static void invalid_page_zero(void) { never((void *)0x1000); }
static void invalid_top(void) { never((void *)(UINTPTR_MAX - 15)); }
static void invalid_kernel(void) { never((void *)0xffff800000000000); }
static void invalid_noncanonical(void) { never((void *)0x0123456789abcde0); }
static void invalid_mapping(void) {
  char *mapping = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  never(mapping + 4096);
}
static void invalid_mapping_start(void) {
  never(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
static void invalid_mapping_forged_header(void) {
  size_t *mapping = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mapping[64] = 0;
  mapping[65] = 0x51;
  never(mapping + 66);
}
static void invalid_unmapped(void) {
  char *mapping = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(mapping, 1 << 20);
  never(mapping + 64);
}
static void invalid_thread_local(void) {
  static _Thread_local char local[256];
  write_all(local, sizeof local);
  never(local + 32 - ((uintptr_t)local & 15));
}

static void interior(size_t size, size_t offset) { never(block_of(size) + offset); }

static void interior_tiny_8(void) { interior(16, 8); }
static void interior_small_1(void) { interior(small, 1); }
static void interior_small_8(void) { interior(small, 8); }
static void interior_small_16(void) { interior(small, 16); }
static void interior_small_48(void) { interior(small, 48); }
static void interior_medium_16(void) { interior(medium, 16); }
static void interior_medium_half(void) { interior(medium, 1504); }
static void interior_span_16(void) { interior(span, 16); }
static void interior_span_page(void) { interior(span, 4096); }
static void interior_large_16(void) { interior(large, 16); }
static void interior_large_page(void) { interior(large, 4096); }
static void interior_large_unaligned(void) { interior(large, 5); }
static void interior_huge_16(void) { interior(huge, 16); }
static void interior_huge_page(void) { interior(huge, 4096); }
static void interior_huge_far(void) { interior(huge, 32 << 20); }
static void interior_aligned(void) {
  char *block = opaque(aligned_alloc(4096, 10000));
  write_all(block, 10000);
  never(block + 4096);
}
static void interior_realloc(void) { opaque(realloc(opaque(block_of(small) + 16), 100)); }

/// A block of a run that the heap has not given out yet, some pages behind one that it has.
static void invalid_never_given(void) {
  char *block = block_of(16);
  release(block + 8192);
  for (int i = 0; i < 2000; i++) block_of(16);
}
static void invalid_never_given_last(void) {
  enum { count = 256 };
  static char *blocks[count];
  for (int i = 0; i < count; i++) blocks[i] = block_of(16);
  release(blocks[count - 1] + 4096);
  for (int i = 0; i < count; i++) release(blocks[i]);
}
/// In the range that the heap may grow into, but has not.
static void invalid_far(void) { never(block_of(16) + (256 << 20)); }
static void invalid_very_far(void) { never(block_of(16) + ((size_t)64 << 30)); }
/// In the range before all blocks, where the heap has its own tables.
static void invalid_below(void) {
  char *block = block_of(16);
  for (size_t distance = (size_t)64 << 10; distance <= (size_t)1 << 30; distance *= 2) {
    pid_t child = fork();
    if (child == 0) {
      close(STDERR_FILENO);
      never(block - distance);
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  }
  never(block - (64 << 10));
}

// Overflows into the allocator's data beside a block, where it has any that it can check.

static void overflow(size_t size) {
  char *first = block_of(size), *second = block_of(size);
  size_t usable = malloc_usable_size(first);
  write_all(first, usable);
  char *end = opaque(first + usable);
  if (second >= end && second < end + 64) memset(end, 0xFF, 64);
  else memset(end, 0xFF, 16);
  release(second);
  release(first);
}

static void overflow_large(void) { overflow(large); }

// The message for each. A block whose memory went back to the system, or to the arena, then counts as foreign.
#define twice_freed "double free"
#define foreign "free of a pointer that heaplab did not give out"
#define never_given "free of a pointer that heaplab did not give out, in the 64 KiB at"
#define given_once "free of a pointer that heaplab did not give out, or gave out once"
#define middle "free of a pointer into the middle of a block"
#define written_past "heap corrupted, something wrote past the block below the one at"

static const struct {
  const char *name;
  void (*commit)(void);
  const char *line;
} variants[] = {
#define VARIANT(name, line) {#name, name, line}
    VARIANT(double_tiny, twice_freed),
    VARIANT(double_small, twice_freed),
    VARIANT(double_medium, twice_freed),
    VARIANT(double_span, twice_freed),
    VARIANT(double_large, twice_freed),
    VARIANT(double_huge, foreign),
    VARIANT(double_nothing, twice_freed),
    VARIANT(double_tiny_one_between, twice_freed),
    VARIANT(double_small_one_between, twice_freed),
    VARIANT(double_medium_one_between, twice_freed),
    VARIANT(double_large_one_between, twice_freed),
    VARIANT(double_huge_one_between, foreign),
    VARIANT(double_small_many_between, twice_freed),
    VARIANT(double_medium_many_between, twice_freed),
    VARIANT(double_large_many_between, twice_freed),
    VARIANT(double_small_other_thread_second, twice_freed),
    VARIANT(double_small_other_thread_first, twice_freed),
    VARIANT(double_small_other_thread_twice, twice_freed),
    VARIANT(double_large_other_thread, twice_freed),
    VARIANT(double_huge_other_thread, foreign),
    VARIANT(double_aligned, twice_freed),
    VARIANT(double_after_realloc, twice_freed),
    VARIANT(realloc_after_free, twice_freed),
    VARIANT(double_calloc, twice_freed),
    VARIANT(double_small_after_adoption, twice_freed),
    VARIANT(double_medium_after_adoption, twice_freed),
    VARIANT(double_large_after_adoption, twice_freed),
    VARIANT(double_small_after_trim, foreign),
    VARIANT(double_medium_after_trim, foreign),
    VARIANT(double_span_after_trim, foreign),
    VARIANT(double_large_after_trim, foreign),
    VARIANT(double_after_trim_between, given_once),
    VARIANT(double_large_after_eviction, twice_freed),
    VARIANT(size_after_free, twice_freed),
    VARIANT(invalid_stack, foreign),
    VARIANT(invalid_stack_unaligned, foreign),
    VARIANT(invalid_data, foreign),
    VARIANT(invalid_data_aligned, foreign),
    VARIANT(invalid_code, foreign),
    VARIANT(invalid_one, foreign),
    VARIANT(invalid_sixteen, foreign),
    VARIANT(invalid_page_zero, foreign),
    VARIANT(invalid_top, foreign),
    VARIANT(invalid_kernel, foreign),
    VARIANT(invalid_noncanonical, foreign),
    VARIANT(invalid_mapping, foreign),
    VARIANT(invalid_mapping_start, foreign),
    VARIANT(invalid_mapping_forged_header, foreign),
    VARIANT(invalid_unmapped, foreign),
    VARIANT(invalid_thread_local, foreign),
    VARIANT(interior_tiny_8, middle),
    VARIANT(interior_small_1, middle),
    VARIANT(interior_small_8, middle),
    VARIANT(interior_small_16, middle),
    VARIANT(interior_small_48, middle),
    VARIANT(interior_medium_16, middle),
    VARIANT(interior_medium_half, middle),
    VARIANT(interior_span_16, middle),
    VARIANT(interior_span_page, middle),
    VARIANT(interior_large_16, given_once),
    VARIANT(interior_large_page, given_once),
    VARIANT(interior_large_unaligned, given_once),
    VARIANT(interior_huge_16, foreign),
    VARIANT(interior_huge_page, foreign),
    VARIANT(interior_huge_far, foreign),
    VARIANT(interior_aligned, middle),
    VARIANT(interior_realloc, middle),
    VARIANT(invalid_never_given, foreign),
    VARIANT(invalid_never_given_last, never_given),
    VARIANT(invalid_far, foreign),
    VARIANT(invalid_very_far, foreign),
    VARIANT(invalid_below, foreign),
    VARIANT(overflow_large, written_past),
};
enum { variant_count = sizeof variants / sizeof *variants };

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  if (strcmp(argv[1], "list") == 0) {
    for (int i = 0; i < variant_count; i++) printf("%s %s\n", variants[i].name, variants[i].line);
    return 0;
  }
  for (int i = 0; i < variant_count; i++) {
    if (strcmp(argv[1], variants[i].name) != 0) continue;
    variants[i].commit();
    return 0;
  }
  dprintf(STDERR_FILENO, "misuse: no variant '%s'; 'misuse list' names them\n", argv[1]);
  return 2;
}
