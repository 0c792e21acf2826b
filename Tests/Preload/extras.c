// Checks the promises of heaplab.h in a C program that links the library.
#define _GNU_SOURCE
#include <errno.h>
#include <heaplab.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "expect.h"
#include "statm.h"

enum { mebibyte = 1 << 20 };

static int is_textbook(void) { return strcmp(heaplab_policy(), "general") != 0; }

static struct heaplab_statistics statistics(void) {
  struct heaplab_statistics now;
  heaplab_read_statistics(&now, sizeof now);
  return now;
}

static void figures(void) {
  EXPECT(strcmp(heaplab_version(), HEAPLAB_VERSION) == 0);
  struct heaplab_statistics before = statistics();
  // Large enough for its own mapping. A textbook policy has no mappings, and keeps the memory it once had.
  size_t size = (is_textbook() ? 5 : 80) * (size_t)mebibyte;
  void *block = opaque(malloc(size));
  struct heaplab_statistics during = statistics();
  EXPECT(during.live_byte_count >= before.live_byte_count + size);
  EXPECT(is_textbook() || during.mapped_count == before.mapped_count + 1);
  free(block);
  EXPECT(statistics().live_byte_count < before.live_byte_count + mebibyte);
  // A caller with an older header has a shorter struct, one with a newer header a longer one.
  size_t longer[sizeof before / sizeof(size_t) + 4];
  memset(longer, 0xAA, sizeof longer);
  heaplab_read_statistics((struct heaplab_statistics *)longer, 2 * sizeof(size_t));
  EXPECT(longer[0] == statistics().committed_byte_count && longer[2] == (size_t)0xAAAAAAAAAAAAAAAA);
  heaplab_read_statistics((struct heaplab_statistics *)longer, sizeof longer);
  EXPECT(longer[sizeof longer / sizeof(size_t) - 1] == 0);
}

static void *fill_and_empty(void *argument) {
  enum { count = 20000 };
  static void *blocks[count];
  for (int i = 0; i < count; i++) {
    blocks[i] = malloc(1000);
    EXPECT(blocks[i] != NULL);
    memset(blocks[i], 1, 1000);
  }
  for (int i = 0; i < count; i++) free(blocks[i]);
  return argument;
}

static void trimming(void) {
  heaplab_mark("trimming");
  if (is_textbook()) return;
  size_t before = resident_byte_count();
  fill_and_empty(NULL);
  (void)heaplab_trim();
  EXPECT(resident_byte_count() < before + 2 * mebibyte);
  EXPECT(heaplab_trim() == 0);
  EXPECT(heaplab_pin_again() == 0);
}

/// How many blocks of `size` bytes fit, at most `most`; frees all of them again.
static size_t count_blocks(size_t size, size_t most) {
  void *first = NULL;
  size_t count = 0;
  for (; count < most; count++) {
    errno = 0;
    void **block = opaque(malloc(size));
    if (!block) {
      EXPECT(errno == ENOMEM);
      break;
    }
    *block = first;
    first = block;
  }
  while (first) {
    void *next = *(void **)first;
    free(first);
    first = next;
  }
  return count;
}

static void quota(void) {
  EXPECT(heaplab_quota() == SIZE_MAX);
  // Blocks of every sort are in use when counting starts.
  void *small = malloc(100), *large = malloc(200000), *huge = malloc(20 * mebibyte);
  static const size_t sizes[] = {100, 5000, 100000, 3 * mebibyte};
  enum { size_count = sizeof sizes / sizeof *sizes };
  size_t limit = 64 * mebibyte;
  heaplab_set_quota(limit);
  EXPECT(heaplab_quota() == limit);
  for (int i = 0; i < size_count; i++) {
    // Memory freed by earlier blocks counts until the system has it back.
    (void)heaplab_trim();
    size_t most = 2 * limit / sizes[i], count = count_blocks(sizes[i], most);
    EXPECT(count < most && count * sizes[i] <= limit - 20 * mebibyte);
    EXPECT(is_textbook() || count * sizes[i] > 32 * mebibyte);
  }
  heaplab_set_quota(SIZE_MAX);
  // Not the small sizes under a textbook policy, where each block may take a page.
  for (int i = is_textbook() ? 2 : 0; i < size_count; i++) {
    size_t most = 2 * limit / sizes[i];
    EXPECT(count_blocks(sizes[i], most) == most);
  }
  // The count starts afresh with the next quota, whatever happened without one.
  (void)heaplab_trim();
  heaplab_set_quota(limit);
  EXPECT(is_textbook() || count_blocks(1000, limit / 500) * 1000 > 32 * mebibyte);
  // Below the memory in use: no new memory, but existing blocks stay, and frees make memory available again.
  if (!is_textbook()) {
    heaplab_set_quota(mebibyte);
    EXPECT(malloc(opaque_size(2 * mebibyte)) == NULL);
    memset(huge, 1, 20 * mebibyte);
    heaplab_set_quota(22 * mebibyte);
    free(huge);
    huge = opaque(malloc(15 * mebibyte));
    EXPECT(huge != NULL);
  }
  heaplab_set_quota(SIZE_MAX);
  free(small);
  free(large);
  free(huge);
}

/// A request that the quota refuses leaves no trace: calloc still gets zeros from the same memory.
static void refused_at_quota(void) {
  if (is_textbook()) return;
  enum { hole_size = 2000000, size = 100000 };
  char *hole = malloc(hole_size), *above = malloc(40000);
  EXPECT(hole && above);
  memset(hole, 1, hole_size);
  free(hole);
  // The hole's pages are back with the system, except for its ends.
  (void)heaplab_trim();
  heaplab_set_quota(SIZE_MAX - 1);
  size_t refused = 0, served = 64 * mebibyte;
  while (refused < served) {
    size_t quota = (refused + served) / 2;
    heaplab_set_quota(quota);
    char *block = opaque(malloc(size));
    if (block) served = quota; else refused = quota + 1;
    free(block);
    (void)heaplab_trim();
  }
  for (size_t less = 1; less <= 64; less++) {
    heaplab_set_quota(served - less);
    EXPECT(malloc(opaque_size(size)) == NULL);
  }
  heaplab_set_quota(SIZE_MAX);
  unsigned char *zeros = calloc(1, hole_size - 100);
  EXPECT(zeros != NULL);
  for (size_t i = 0; i < hole_size - 100; i++) EXPECT(zeros[i] == 0);
  free(zeros);
  free(above);
}

/// How many blocks of `size` bytes fit into a heap; frees all of them again.
static size_t count_own(heaplab_heap *heap, size_t size) {
  void *first = NULL, **block;
  size_t count = 0;
  for (; (block = heaplab_heap_allocate(heap, size)) != NULL; count++) {
    *block = first;
    first = block;
  }
  while (first) {
    void *next = *(void **)first;
    heaplab_heap_free(heap, first);
    first = next;
  }
  return count;
}

/// Memory that held blocks of one size later serves every other size as well as at first.
static void own_heap_phases(void) {
  static const size_t sizes[] = {100, 1000, 30000, 100000, 1000000};
  enum { size_count = sizeof sizes / sizeof *sizes };
  for (int first = 0; first < size_count; first++) {
    heaplab_heap *heap = heaplab_heap_create(NULL, 16 * mebibyte, SIZE_MAX);
    EXPECT(heap != NULL);
    for (int i = 0; i < size_count; i++) {
      size_t size = sizes[(first + i) % size_count];
      EXPECT(count_own(heap, size) * size > 14 * mebibyte);
    }
    heaplab_heap_destroy(heap);
  }
}

/// Large alignments in a heap that starts right above a multiple of each: that multiple lies outside the heap.
static void own_heap_alignments(void) {
  size_t largest = 16 * mebibyte, byte_count = 5 * largest;
  char *memory = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT(memory != MAP_FAILED);
  char *start = (char *)(((uintptr_t)memory + largest) & ~(largest - 1)) + mebibyte / 2;
  for (size_t alignment = mebibyte; alignment <= largest; alignment *= 2) {
    heaplab_heap *heap = heaplab_heap_create(start, byte_count - (size_t)(start - memory), SIZE_MAX);
    EXPECT(heap && heaplab_heap_allocate(heap, 100000));
    for (int i = 0; i < 2; i++) {
      char *block = heaplab_heap_allocate_aligned(heap, alignment, 100000);
      EXPECT(block && ((uintptr_t)block & (alignment - 1)) == 0);
      memset(block, 1, 100000);
    }
    heaplab_heap_destroy(heap);
  }
  munmap(memory, byte_count);
}

static void own_heap(void *memory, size_t byte_count) {
  heaplab_heap *heap = heaplab_heap_create(memory, byte_count, SIZE_MAX);
  EXPECT(heap != NULL && heaplab_heap_used(heap) == 0);
  unsigned char *blocks[300];
  for (size_t i = 0; i < 300; i++) {
    size_t size = i * i % 9000;
    blocks[i] = heaplab_heap_allocate(heap, size);
    EXPECT(blocks[i] && ((uintptr_t)blocks[i] & 15) == 0);
    EXPECT(heaplab_heap_usable_size(heap, blocks[i]) >= size);
    if (memory) EXPECT(blocks[i] >= (unsigned char *)memory && blocks[i] + size <= (unsigned char *)memory + byte_count);
    memset(blocks[i], (int)i, size);
  }
  for (size_t i = 0; i < 300; i += 2) {
    size_t size = i * i % 9000, wanted = size * 20 % 90000;
    blocks[i] = heaplab_heap_reallocate(heap, blocks[i], wanted);
    EXPECT(blocks[i] != NULL);
    for (size_t j = 0; j < size && j < wanted; j++) EXPECT(blocks[i][j] == (unsigned char)i);
  }
  for (size_t i = 1; i < 300; i += 2)
    for (size_t j = 0; j < i * i % 9000; j++) EXPECT(blocks[i][j] == (unsigned char)i);
  for (size_t i = 0; i < 300; i++) heaplab_heap_free(heap, blocks[i]);
  EXPECT(heaplab_heap_used(heap) == 0);
  for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
    void *block = heaplab_heap_allocate_aligned(heap, alignment, 100);
    EXPECT(block && ((uintptr_t)block & (alignment - 1)) == 0);
  }
  errno = 0;
  EXPECT(heaplab_heap_allocate_aligned(heap, 24, 100) == NULL && errno == EINVAL);
  EXPECT(heaplab_heap_allocate_aligned(heap, 0, 100) == NULL && errno == EINVAL);
  EXPECT(heaplab_heap_allocate_aligned(heap, (size_t)1 << 63, 100) == NULL && errno == ENOMEM);
  static const size_t impossible[] = {SIZE_MAX, PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, (size_t)1 << 40};
  for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
    errno = 0;
    EXPECT(heaplab_heap_allocate(heap, impossible[i]) == NULL && errno == ENOMEM);
  }
  heaplab_heap_free(heap, NULL);
  EXPECT(heaplab_heap_usable_size(heap, NULL) == 0);
  unsigned char *block = heaplab_heap_reallocate(heap, NULL, 10);
  EXPECT(block != NULL);
  block[9] = 77;
  EXPECT(heaplab_heap_reallocate(heap, block, SIZE_MAX) == NULL && block[9] == 77);
  heaplab_heap_destroy(heap);
  heaplab_heap_destroy(NULL);
}

static void own_heaps(void) {
  size_t byte_count = 16 * mebibyte;
  char *memory = mmap(NULL, byte_count + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT(memory != MAP_FAILED);
  // The memory around the range is not the heap's, wherever the range starts.
  memset(memory, 0x5A, 4096);
  memset(memory + 4096 + byte_count, 0x5A, 4096);
  own_heap(memory + 4096, byte_count);
  own_heap(memory + 4099, byte_count - 3);
  for (size_t i = 0; i < 4096; i++) EXPECT(memory[i] == 0x5A && memory[4096 + byte_count + i] == 0x5A);
  munmap(memory, byte_count + 8192);
  own_heap(NULL, byte_count);

  heaplab_heap *heap = heaplab_heap_create(NULL, 8 * mebibyte, mebibyte);
  size_t count = 0;
  while (heaplab_heap_allocate(heap, 1000)) count++;
  EXPECT(count > 700 && count * 1000 <= mebibyte);
  heaplab_heap_destroy(heap);

  static char few[1 << 18] __attribute__((aligned(16)));
  heap = heaplab_heap_create(few, sizeof few, SIZE_MAX);
  EXPECT(heap && heaplab_heap_allocate(heap, 1000));
  heaplab_heap_destroy(heap);
  errno = 0;
  EXPECT(heaplab_heap_create(few, 1000, SIZE_MAX) == NULL && errno == EINVAL);
  EXPECT(heaplab_heap_create(few, SIZE_MAX, SIZE_MAX) == NULL && errno == EINVAL);
  errno = 0;
  EXPECT(heaplab_heap_create(NULL, 1000, SIZE_MAX) == NULL && errno == EINVAL);
  errno = 0;
  EXPECT(heaplab_heap_create(NULL, SIZE_MAX, SIZE_MAX) == NULL && errno == ENOMEM);
}

int main(void) {
  figures();
  trimming();
  quota();
  refused_at_quota();
  own_heaps();
  own_heap_phases();
  own_heap_alignments();
  printf("%s\n", heaplab_policy());
  return 0;
}
