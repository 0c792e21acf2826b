// Prints the answer of every function of the family to every combination of ordinary, extreme and invalid arguments:
// whether there is a block, its least alignment, and errno. scripts/test-preload compares the output line by line with
// glibc's.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "expect.h"

static const size_t sizes[] = {
    0, 1, 15, 16, 17, 100, 1000, 1024, 1025, 4096, 32768, 32769, 100000, 1 << 20, 5 << 20, (size_t)1 << 46,
    (size_t)1 << 62, PTRDIFF_MAX - 5000, PTRDIFF_MAX - 1, PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 5000,
    SIZE_MAX - 16, SIZE_MAX - 1, SIZE_MAX};
static const size_t alignments[] = {
    0, 1, 2, 3, 4, 7, 8, 12, 16, 17, 24, 32, 48, 64, 100, 1000, 1024, 4095, 4096, 5000, 32768, 65536, 100000, 1 << 20,
    (size_t)1 << 31, (size_t)1 << 40, (size_t)1 << 47, (size_t)1 << 61, (size_t)1 << 62, ((size_t)1 << 62) + 1,
    (size_t)1 << 63, ((size_t)1 << 63) + 1, SIZE_MAX - 1, SIZE_MAX};

#define EACH(name, table)                                                                                       \
  for (size_t name##_index = 0, name;                                                                           \
       name##_index < sizeof table / sizeof *table && (name = opaque_size(table[name##_index]), 1); name##_index++)

enum { before = 4711 };

/// Prints one answer and frees the block.
static void answer(const char *call, size_t first, size_t second, void *block, size_t wanted, size_t alignment) {
  int code = errno;
  const char *fit = "";
  if (block) {
    fit = malloc_usable_size(block) < wanted ? " short" : ((uintptr_t)block & (alignment - 1)) ? " askew" : " good";
    memset(block, 1, wanted < 100 ? wanted : 100);
  }
  printf("%s(%zu, %zu) %s%s errno %d\n", call, first, second, block ? "block" : "null", fit, code);
  errno = before;
  free(block);
  if (errno != before) printf("  and free set errno to %d\n", errno);
}

/// The next power of two, as memalign rounds.
static size_t rounded(size_t alignment) {
  size_t power = 16;
  while (power < alignment && power <= SIZE_MAX / 2) power *= 2;
  return power;
}

static void one_size(void) {
  EACH(size, sizes) {
    errno = before;
    answer("malloc", size, 0, opaque(malloc(size)), size, 16);
    errno = before;
    answer("valloc", size, 0, opaque(valloc(size)), size, 4096);
    errno = before;
    answer("pvalloc", size, 0, opaque(pvalloc(size)), size, 4096);
    errno = before;
    answer("realloc null", size, 0, opaque(realloc(NULL, size)), size, 16);
    static const size_t olds[] = {0, 10, 1500, 40000, 3 << 20, 80 << 20};
    EACH(old, olds) {
      char *block = opaque(malloc(old));
      if (old) block[0] = block[old - 1] = 7;
      errno = before;
      char *moved = opaque(realloc(block, size));
      if (moved && old && size) EXPECT(moved[0] == 7);
      answer("realloc", old, size, moved, size, 16);
      // A block that could not be resized still exists; a size of 0 freed it.
      if (!moved && size) free(block);
    }
  }
}

static void two_sizes(void) {
  EACH(first, sizes) EACH(second, sizes) {
    size_t product;
    if (__builtin_mul_overflow(first, second, &product)) product = SIZE_MAX;
    // Whether this much memory is available depends on the machine, not on the function.
    if (product > (100u << 20) && product < (size_t)1 << 50) continue;
    errno = before;
    answer("calloc", first, second, opaque(calloc(first, second)), product, 16);
    errno = before;
    answer("reallocarray null", first, second, opaque(reallocarray(NULL, first, second)), product, 16);
    void *block = opaque(malloc(10));
    errno = before;
    void *moved = opaque(reallocarray(block, first, second));
    answer("reallocarray", first, second, moved, product, 16);
    if (!moved && product) free(block);
  }
}

static void alignments_and_sizes(void) {
  EACH(alignment, alignments) EACH(size, sizes) {
    if (alignment > (1 << 20) && alignment <= (size_t)1 << 47 && size < (size_t)1 << 48) continue;
    errno = before;
    answer("memalign", alignment, size, opaque(memalign(alignment, size)), size, rounded(alignment));
    int is_power = alignment && (alignment & (alignment - 1)) == 0;
    errno = before;
    // Since 2.38, glibc refuses a bad alignment here.
    if (is_power) answer("aligned_alloc", alignment, size, opaque(aligned_alloc(alignment, size)), size, alignment);
    void *block = NULL;
    errno = before;
    int code = posix_memalign(&block, alignment, size);
    // It returns its error. When memory runs out, glibc also sets errno, and GCC assumes that it does not.
    __asm__ volatile("" ::: "memory");
    printf("posix_memalign %d: ", code);
    answer("", alignment, size, block, size, is_power ? alignment : 16);
  }
}

static void options(void) {
  static const int parameters[] = {M_MXFAST, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX,
                                   M_CHECK_ACTION, M_PERTURB, M_ARENA_TEST, M_ARENA_MAX, 0, 2, 3, 99, -99};
  // Nonzero values of M_PERTURB fill blocks; 0 is the default.
  static const int values[] = {0, -1, 1, 8, 64, 160, 161, 1 << 20, 32 << 20, (32 << 20) + 1, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
    for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
      if (parameters[i] == M_PERTURB && values[j] != 0) continue;
      if (parameters[i] == M_ARENA_MAX && values[j] != 1) continue;
      printf("mallopt(%d, %d) = %d\n", parameters[i], values[j], mallopt(parameters[i], values[j]));
    }
}

int main(void) {
  // The output buffer is not a block of the heap.
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  one_size();
  two_sizes();
  alignments_and_sizes();
  errno = before;
  free(NULL);
  printf("free null: errno %d, usable size of null %zu\n", errno, malloc_usable_size(NULL));
  options();
  errno = before;
  int code = malloc_info(1, stdout);
  printf("malloc_info with an option: %d, errno %d\n", code, errno);
  return 0;
}
