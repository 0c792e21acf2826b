// Misuse of the malloc family: one variant a process, each of which an allocator must end with one line and SIGABRT.
//
//   misuse list      the names
//   misuse NAME      commits the deed; reaching the end is exit status 0: the allocator did not notice
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

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

// Frees of what was never given out.

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

// Overflows into what the allocator keeps beside a block, where it keeps anything that it can check.

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

static const struct {
  const char *name;
  void (*commit)(void);
} variants[] = {
#define VARIANT(name) {#name, name}
    VARIANT(double_tiny),
    VARIANT(double_small),
    VARIANT(double_medium),
    VARIANT(double_span),
    VARIANT(double_large),
    VARIANT(double_huge),
    VARIANT(double_nothing),
    VARIANT(double_tiny_one_between),
    VARIANT(double_small_one_between),
    VARIANT(double_medium_one_between),
    VARIANT(double_large_one_between),
    VARIANT(double_huge_one_between),
    VARIANT(double_small_many_between),
    VARIANT(double_medium_many_between),
    VARIANT(double_large_many_between),
    VARIANT(double_small_other_thread_second),
    VARIANT(double_small_other_thread_first),
    VARIANT(double_small_other_thread_twice),
    VARIANT(double_large_other_thread),
    VARIANT(double_huge_other_thread),
    VARIANT(double_aligned),
    VARIANT(double_after_realloc),
    VARIANT(realloc_after_free),
    VARIANT(double_calloc),
    VARIANT(invalid_stack),
    VARIANT(invalid_stack_unaligned),
    VARIANT(invalid_data),
    VARIANT(invalid_data_aligned),
    VARIANT(invalid_code),
    VARIANT(invalid_one),
    VARIANT(invalid_sixteen),
    VARIANT(invalid_page_zero),
    VARIANT(invalid_top),
    VARIANT(invalid_kernel),
    VARIANT(invalid_noncanonical),
    VARIANT(invalid_mapping),
    VARIANT(invalid_mapping_start),
    VARIANT(invalid_mapping_forged_header),
    VARIANT(invalid_unmapped),
    VARIANT(invalid_thread_local),
    VARIANT(interior_tiny_8),
    VARIANT(interior_small_1),
    VARIANT(interior_small_8),
    VARIANT(interior_small_16),
    VARIANT(interior_small_48),
    VARIANT(interior_medium_16),
    VARIANT(interior_medium_half),
    VARIANT(interior_span_16),
    VARIANT(interior_span_page),
    VARIANT(interior_large_16),
    VARIANT(interior_large_page),
    VARIANT(interior_large_unaligned),
    VARIANT(interior_huge_16),
    VARIANT(interior_huge_page),
    VARIANT(interior_huge_far),
    VARIANT(interior_aligned),
    VARIANT(interior_realloc),
    VARIANT(overflow_large),
};
enum { variant_count = sizeof variants / sizeof *variants };

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  if (strcmp(argv[1], "list") == 0) {
    for (int i = 0; i < variant_count; i++) puts(variants[i].name);
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
