// Blocks above 32 KiB: zeros from calloc over recycled and purged memory; contents across realloc, in small and large
// steps, one block at a time and several in turn; alignments up to 32 MiB. Untouched memory costs nothing, nor does a
// refused request.
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "expect.h"
#include "statm.h"

static uint64_t state = 88172645463325252u;

static uint64_t draw(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

/// A size from 33 KiB to 40 MiB, every octave equally likely.
static size_t draw_size(void) {
  for (;;) {
    size_t base = (size_t)1 << (15 + draw() % 11), size = base + draw() % base;
    if (size >= 33 << 10 && size <= 40 << 20) return size;
  }
}

static int is_zero(const unsigned char *bytes, size_t count) {
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

struct block {
  unsigned char *bytes;
  size_t size;
  unsigned char value;
};

static void fill(struct block *block, size_t size) {
  block->size = size;
  block->value = (unsigned char)(1 + draw() % 255);
  memset(block->bytes, block->value, size);
}

static int holds(const struct block *block, size_t size) {
  return block->bytes[0] == block->value && memcmp(block->bytes, block->bytes + 1, size - 1) == 0;
}

/// Random calls; every byte of every block is checked when it changes hands.
static void random_calls(int count) {
  enum { slot_count = 12 };
  struct block slots[slot_count] = {{0}};
  for (int call = 0; call < count; call++) {
    struct block *block = &slots[draw() % slot_count];
    size_t size = draw_size();
    uint64_t kind = draw() % 8;
    if (block->bytes != NULL && kind < 3) {
      unsigned char *moved = realloc(block->bytes, size);
      EXPECT(moved != NULL);
      block->bytes = moved;
      EXPECT(holds(block, size < block->size ? size : block->size));
      fill(block, size);
      continue;
    }
    if (block->bytes != NULL) {
      EXPECT(holds(block, block->size));
      free(block->bytes);
    }
    if (kind < 6) {
      block->bytes = calloc(1, size);
      EXPECT(block->bytes != NULL && is_zero(block->bytes, size));
    } else {
      size_t alignment = (size_t)16 << draw() % 18;
      block->bytes = aligned_alloc(alignment, size);
      EXPECT(block->bytes != NULL && ((uintptr_t)block->bytes & (alignment - 1)) == 0);
    }
    EXPECT(malloc_usable_size(block->bytes) >= size);
    fill(block, size);
    if (draw() % 16 == 0) malloc_trim(0);
  }
  for (int i = 0; i < slot_count; i++) free(slots[i].bytes);
}

/// Grows `count` blocks in turn by `step` bytes to `most`, then shrinks them in the same way. The last word of each
/// step holds its end.
static void steps(int count, size_t step, size_t most) {
  char *blocks[8] = {NULL};
  for (size_t size = step; size <= most; size += step)
    for (int i = 0; i < count; i++) {
      blocks[i] = realloc(blocks[i], size);
      EXPECT(blocks[i] != NULL);
      *(size_t *)(blocks[i] + size - sizeof(size_t)) = size + (size_t)i;
    }
  for (size_t size = most - most % step; size >= step; size -= step)
    for (int i = 0; i < count; i++) {
      EXPECT(*(size_t *)(blocks[i] + size - sizeof(size_t)) == size + (size_t)i);
      blocks[i] = realloc(blocks[i], size);
      EXPECT(blocks[i] != NULL);
    }
  for (int i = 0; i < count; i++) free(blocks[i]);
}

/// Gets zeros from the memory below a block at a large multiple, which nobody has touched since it was the system's.
static void untouched(void) {
  malloc_trim(0);
  char *aligned = memalign(4 << 20, 1000), *blocks[8];
  EXPECT(aligned != NULL);
  size_t before = resident_byte_count();
  for (int i = 0; i < 8; i++) EXPECT((blocks[i] = opaque(calloc(1, 400000))) != NULL);
  EXPECT(resident_byte_count() - before < 1 << 20);
  for (int i = 0; i < 8; i++) EXPECT(is_zero((unsigned char *)blocks[i], 400000));
  for (int i = 0; i < 8; i++) free(blocks[i]);
  free(aligned);
}

/// Small and large blocks at multiples of 32 MiB and less, with others between. The largest alignment comes first: no
/// memory of the heap then lies a whole alignment below.
static void large_alignments(void) {
  struct block blocks[3 * 17] = {{0}};
  int count = 0;
  void *first = opaque(malloc(1 << 20));
  EXPECT(first != NULL);
  for (size_t alignment = 32 << 20; alignment >= 64 << 10; alignment /= 2)
    for (int i = 0; i < 3; i++) {
      static const size_t sizes[] = {1000, 100000, 3000000};
      struct block *block = &blocks[count++];
      block->bytes = i == 1 ? malloc(sizes[i]) : memalign(alignment, sizes[i]);
      EXPECT(block->bytes != NULL && (i == 1 || ((uintptr_t)block->bytes & (alignment - 1)) == 0));
      fill(block, sizes[i]);
    }
  for (int i = 0; i < count; i++) {
    EXPECT(holds(&blocks[i], blocks[i].size));
    free(blocks[i].bytes);
  }
  free(first);
}

/// Requests that few or no machines can serve: a refused request leaves the heap no larger.
static void refusals(void) {
  size_t before = mallinfo2().arena;
  for (size_t gibibytes = 16; gibibytes <= 240; gibibytes += 7) {
    free(opaque(malloc(opaque_size(gibibytes << 30))));
    char *block = malloc(100000);
    EXPECT(block != NULL);
    char *grown = opaque(realloc(block, opaque_size(gibibytes << 30)));
    free(grown ? grown : block);
  }
  EXPECT(mallinfo2().arena <= before + (16 << 20));
}

int main(void) {
  large_alignments();
  untouched();
  refusals();
  random_calls(400);
  steps(1, 64 << 10, 48 << 20);
  steps(1, 48, 1 << 20);
  steps(3, 40 << 10, 6 << 20);
  steps(8, 4096, 512 << 10);
  random_calls(200);
  return 0;
}
