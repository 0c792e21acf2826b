// The contract of the malloc family, after "Replacing malloc" in glibc's manual and malloc(3), and glibc's own answers
// where programs rely on them. Run without a preload, it checks glibc in the same way.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include "expect.h"

// Removed from glibc's headers and link-time symbols, but old programs still bind to it.
extern void cfree(void *) __attribute__((weak));

// The names by which programs that wrap malloc find the wrapped one.
extern void *__libc_malloc(size_t) __attribute__((weak));
extern void *__libc_calloc(size_t, size_t) __attribute__((weak));
extern void *__libc_realloc(void *, size_t) __attribute__((weak));
extern void __libc_free(void *) __attribute__((weak));
extern void *__libc_memalign(size_t, size_t) __attribute__((weak));
extern void *__libc_valloc(size_t) __attribute__((weak));
extern void *__libc_pvalloc(size_t) __attribute__((weak));
extern int __posix_memalign(void **, size_t, size_t) __attribute__((weak));

static const size_t impossible[] = {PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096, SIZE_MAX - 15, SIZE_MAX};
enum { impossible_count = sizeof impossible / sizeof *impossible };

static int is_aligned(const void *pointer, size_t alignment) { return ((uintptr_t)pointer & (alignment - 1)) == 0; }

static int is_filled(const unsigned char *bytes, unsigned char value, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (bytes[i] != value) return 0;
  return 1;
}

/// Runs `call`, which must fail with NULL and ENOMEM.
#define EXPECT_NO_MEMORY(call)    \
  do {                            \
    errno = 0;                    \
    EXPECT((call) == NULL);       \
    EXPECT(errno == ENOMEM);      \
  } while (0)

static void sizes_that_cannot_be(void) {
  for (int i = 0; i < impossible_count; i++) {
    size_t size = opaque_size(impossible[i]);
    EXPECT_NO_MEMORY(malloc(size));
    EXPECT_NO_MEMORY(calloc(size, 1));
    EXPECT_NO_MEMORY(calloc(1, size));
    EXPECT_NO_MEMORY(aligned_alloc(64, size));
    EXPECT_NO_MEMORY(memalign(64, size));
    EXPECT_NO_MEMORY(valloc(size));
    EXPECT_NO_MEMORY(pvalloc(size));
    void *block = malloc(100);
    memset(block, 7, 100);
    EXPECT_NO_MEMORY(realloc(block, size));
    EXPECT_NO_MEMORY(reallocarray(block, size, 1));
    EXPECT(is_filled(block, 7, 100));
    free(block);
    void *out = &out;
    EXPECT(posix_memalign(&out, 64, size) == ENOMEM);
    EXPECT(out == (void *)&out);
  }
}

static void products_that_overflow(void) {
  size_t half = opaque_size((size_t)1 << 32);
  EXPECT_NO_MEMORY(calloc(half, half));
  EXPECT_NO_MEMORY(calloc(SIZE_MAX, 2));
  EXPECT_NO_MEMORY(calloc(half, half + 1));
  EXPECT_NO_MEMORY(reallocarray(NULL, half, half));
  void *block = malloc(32);
  memset(block, 9, 32);
  EXPECT_NO_MEMORY(reallocarray(block, SIZE_MAX, 3));
  EXPECT(is_filled(block, 9, 32));
  free(block);
}

static void alignment_and_usable_size(void) {
  for (size_t size = 0; size < 70000; size += size < 2100 ? 1 : 997) {
    unsigned char *block = opaque(malloc(size));
    EXPECT(block != NULL && is_aligned(block, 16));
    size_t usable = malloc_usable_size(block);
    EXPECT(usable >= size);
    memset(block, 0xA5, usable);
    free(block);
  }
  EXPECT(malloc_usable_size(NULL) == 0);
}

/// Adjacent blocks written to their last usable byte keep their content.
static void usable_bytes_are_ones_own(void) {
  enum { count = 40 };
  unsigned char *blocks[count];
  for (size_t size = 0; size < 3000000; size = size * 4 / 3 + 1) {
    int number = size > 100000 ? 4 : count;
    for (int i = 0; i < number; i++) {
      blocks[i] = opaque(malloc(size));
      EXPECT(blocks[i] != NULL);
      memset(blocks[i], i + 1, malloc_usable_size(blocks[i]));
    }
    for (int i = 0; i < number; i++) {
      EXPECT(is_filled(blocks[i], (unsigned char)(i + 1), malloc_usable_size(blocks[i])));
      free(blocks[i]);
    }
  }
}

static void blocks_of_no_bytes(void) {
  void *first = opaque(malloc(0)), *second = opaque(malloc(0)), *third = opaque(calloc(0, 8));
  EXPECT(first && second && third);
  EXPECT(first != second && second != third && first != third);
  free(first);
  free(second);
  free(third);
  free(NULL);
  if (cfree) cfree(opaque(malloc(10)));
}

static void zeroed_blocks(void) {
  for (size_t size = 1; size < (8u << 20); size = size * 3 + 1) {
    unsigned char *dirty = opaque(malloc(size));
    memset(dirty, 0xFF, size);
    free(dirty);
    unsigned char *clean = opaque(calloc(1, size));
    EXPECT(clean && is_filled(clean, 0, size));
    memset(clean, 0xFF, size);
    free(clean);
  }
}

static void reallocation(void) {
  unsigned char *block = opaque(realloc(NULL, 10));
  EXPECT(block != NULL);
  memset(block, 3, 10);
  size_t filled = 10;
  static const size_t sizes[] = {24,     25,    100,   1000, 4096,    5000,    40000,   100000,
                                 300000, 90000, 20000, 129,  1 << 20, 5 << 20, 3 << 20, 60};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    block = opaque(realloc(block, sizes[i]));
    EXPECT(block != NULL && is_aligned(block, 16));
    EXPECT(is_filled(block, 3, filled < sizes[i] ? filled : sizes[i]));
    memset(block, 3, sizes[i]);
    filled = sizes[i];
  }
  EXPECT(realloc(block, 0) == NULL);
  void *none = opaque(realloc(NULL, 0));
  EXPECT(none != NULL);
  free(none);
  block = reallocarray(NULL, 10, 10);
  EXPECT(block != NULL);
  EXPECT(reallocarray(block, 0, 10) == NULL);
}

static void aligned_blocks(void) {
  for (size_t alignment = 16; alignment <= (4u << 20); alignment *= 2) {
    for (size_t size = 0; size < 100000; size = size * 5 + 1) {
      unsigned char *block = opaque(aligned_alloc(alignment, size));
      EXPECT(block && is_aligned(block, alignment) && malloc_usable_size(block) >= size);
      memset(block, 1, size);
      void *other = NULL;
      EXPECT(posix_memalign(&other, alignment, size) == 0 && other && is_aligned(other, alignment));
      memset(other, 2, size);
      EXPECT(is_filled(block, 1, size));
      block = opaque(realloc(block, size + 100));
      EXPECT(block && is_filled(block, 1, size));
      free(block);
      free(other);
    }
  }
}

static void bad_alignments(void) {
  void *out = &out;
  errno = 77;
  EXPECT(posix_memalign(&out, 0, 8) == EINVAL);
  EXPECT(posix_memalign(&out, 4, 8) == EINVAL);
  EXPECT(posix_memalign(&out, 24, 8) == EINVAL);
  EXPECT(posix_memalign(&out, sizeof(void *) * 3, 8) == EINVAL);
  EXPECT(out == (void *)&out);
  EXPECT(errno == 77);
  EXPECT(posix_memalign(&out, sizeof(void *), 8) == 0);
  free(out);
  static const size_t rounded[][2] = {{0, 16}, {1, 16}, {3, 16}, {24, 32}, {48, 64}, {100, 128}, {5000, 8192}};
  for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++) {
    void *block = opaque(memalign(opaque_size(rounded[i][0]), 50));
    EXPECT(block && is_aligned(block, rounded[i][1]));
    free(block);
  }
  errno = 0;
  EXPECT(memalign(opaque_size((size_t)1 << 63), 10) == NULL);
  EXPECT(errno == ENOMEM || errno == EINVAL);
  errno = 0;
  EXPECT(memalign(opaque_size(((size_t)1 << 63) + 1), 10) == NULL);
  EXPECT(errno == EINVAL);
}

/// Since 2.38, glibc refuses a bad alignment here; before, it rounded up.
static void bad_alignments_of_aligned_alloc(void) {
  if (!getenv("LD_PRELOAD")) return;
  static const size_t bad[] = {0, 3, 24, 48, 100, SIZE_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    errno = 0;
    EXPECT(aligned_alloc(opaque_size(bad[i]), 64) == NULL);
    EXPECT(errno == EINVAL);
  }
}

static void pages(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  void *block = opaque(valloc(10));
  EXPECT(block && is_aligned(block, page));
  free(block);
  block = opaque(pvalloc(10));
  EXPECT(block && is_aligned(block, page) && malloc_usable_size(block) >= page);
  free(block);
  block = opaque(pvalloc(0));
  EXPECT(block && is_aligned(block, page));
  free(block);
}

static void free_keeps_errno(void) {
  static const size_t sizes[] = {1, 100, 5000, 40000, 200000, 3 << 20, 80 << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    void *block = opaque(malloc(sizes[i]));
    EXPECT(block != NULL);
    errno = 4711;
    free(block);
    EXPECT(errno == 4711);
  }
}

static void tuning_and_figures(void) {
  EXPECT(mallopt(M_TRIM_THRESHOLD, 1 << 20) == 1);
  EXPECT(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1);
  struct mallinfo2 before = mallinfo2();
  void *block = opaque(malloc(3 << 20));
  struct mallinfo2 during = mallinfo2();
  size_t grown = during.uordblks + during.hblkhd - before.uordblks - before.hblkhd;
  EXPECT(grown >= (3u << 20) && grown < (5u << 20));
  free(block);
  (void)malloc_trim(0);
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  EXPECT(malloc_info(0, stream) == 0);
  EXPECT(malloc_info(1, stream) != 0);
  fclose(stream);
  EXPECT(length > 20 && strstr(text, "<malloc") && strstr(text, "</malloc>"));
  free(text);
}

/// Blocks from one set of names can be freed through the other.
static void names_of_glibc(void) {
  EXPECT(__libc_malloc && __libc_calloc && __libc_realloc && __libc_free && __libc_memalign && __libc_valloc);
  static const size_t sizes[] = {1, 100, 2000, 100000, 64 << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t size = sizes[i];
    free(opaque(__libc_malloc(size)));
    __libc_free(opaque(malloc(size)));
    unsigned char *zeros = opaque(__libc_calloc(size, 1));
    EXPECT(is_filled(zeros, 0, size));
    memset(zeros, 7, size);
    zeros = opaque(__libc_realloc(zeros, size + 50));
    EXPECT(is_filled(zeros, 7, size));
    zeros = opaque(realloc(zeros, size + 5000));
    EXPECT(is_filled(zeros, 7, size) && malloc_usable_size(zeros) >= size + 5000);
    free(zeros);
    void *aligned[4] = {__libc_memalign(4096, size), __libc_valloc(size), __libc_pvalloc(size)};
    if (__posix_memalign) EXPECT(__posix_memalign(&aligned[3], 4096, size) == 0);
    for (int j = 0; j < 4; j++) {
      EXPECT(is_aligned(aligned[j], 4096));
      free(opaque(aligned[j]));
    }
  }
}

int main(void) {
  sizes_that_cannot_be();
  products_that_overflow();
  alignment_and_usable_size();
  usable_bytes_are_ones_own();
  blocks_of_no_bytes();
  zeroed_blocks();
  reallocation();
  aligned_blocks();
  bad_alignments();
  bad_alignments_of_aligned_alloc();
  pages();
  free_keeps_errno();
  tuning_and_figures();
  names_of_glibc();
  return 0;
}
