// Misuse of the malloc family: one variant per process. An allocator must end each with one line and SIGABRT.
//
//   misuse list      the names, and the line that each must end with, without the address
//   misuse NAME      runs the misuse; exit status 0 at the end: the allocator did not notice
#define _GNU_SOURCE
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "double-frees.h"
#include "expect.h"

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
static void invalid_never_given(void) { never(block_of(16) + 8192); }
static void invalid_never_given_next_page(void) {
  enum { count = 256 };
  static char *blocks[count];
  for (int i = 0; i < count; i++) blocks[i] = block_of(16);
  never(blocks[count - 1] + 4096);
}
/// One legitimate free after it must not hide it, whatever the size.
static void invalid_never_given_every_size(void) {
  for (size_t size = 16; size <= 8192; size *= 2) {
    pid_t child = fork();
    if (child == 0) {
      close(STDERR_FILENO);
      char *first = block_of(size), *second = block_of(size);
      never(first + 16384);
      release(second);
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  }
  never(block_of(64) + 16384);
}
/// Behind the last block of a run, where less than a block is left.
static void interior_rest(void) {
  uintptr_t run = (uintptr_t)block_of(48) & ~(uintptr_t)0xFFFF;
  never((void *)(run + 65536 / 48 * 48));
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

// The message for each. A block whose memory went back to the system, the space or an arena then counts as foreign. A
// heap with a single block keeps so little for later that this is the usual case.
#define twice_freed "double free"
#define foreign "free of a pointer that heaplab did not give out"
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
    VARIANT(double_medium, foreign),
    VARIANT(double_span, twice_freed),
    VARIANT(double_large, given_once),
    VARIANT(double_huge, foreign),
    VARIANT(double_nothing, twice_freed),
    VARIANT(double_tiny_one_between, twice_freed),
    VARIANT(double_small_one_between, twice_freed),
    VARIANT(double_medium_one_between, foreign),
    VARIANT(double_large_one_between, given_once),
    VARIANT(double_huge_one_between, foreign),
    VARIANT(double_small_many_between, twice_freed),
    VARIANT(double_medium_many_between, foreign),
    VARIANT(double_large_many_between, given_once),
    VARIANT(double_small_other_thread_second, twice_freed),
    VARIANT(double_small_other_thread_first, twice_freed),
    VARIANT(double_small_other_thread_twice, twice_freed),
    VARIANT(double_large_other_thread, given_once),
    VARIANT(double_huge_other_thread, foreign),
    VARIANT(double_aligned, foreign),
    VARIANT(double_after_realloc, twice_freed),
    VARIANT(realloc_after_free, twice_freed),
    VARIANT(double_calloc, twice_freed),
    VARIANT(double_small_after_adoption, twice_freed),
    VARIANT(double_medium_after_adoption, foreign),
    VARIANT(double_large_after_adoption, given_once),
    VARIANT(double_small_after_trim, foreign),
    VARIANT(double_medium_after_trim, foreign),
    VARIANT(double_span_after_trim, foreign),
    VARIANT(double_large_after_trim, foreign),
    VARIANT(double_after_trim_between, given_once),
    VARIANT(double_large_after_eviction, given_once),
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
    VARIANT(interior_span_16, given_once),
    VARIANT(interior_span_page, given_once),
    VARIANT(interior_large_16, given_once),
    VARIANT(interior_large_page, given_once),
    VARIANT(interior_large_unaligned, given_once),
    VARIANT(interior_huge_16, foreign),
    VARIANT(interior_huge_page, foreign),
    VARIANT(interior_huge_far, foreign),
    VARIANT(interior_aligned, given_once),
    VARIANT(interior_realloc, middle),
    VARIANT(interior_rest, middle),
    VARIANT(invalid_never_given, given_once),
    VARIANT(invalid_never_given_next_page, given_once),
    VARIANT(invalid_never_given_every_size, given_once),
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
