// Running out of memory is an ordinary result: NULL and ENOMEM. Allocated blocks stay intact, and memory is available
// again after frees.
//
//   exhaustion limit     under an RLIMIT_AS that this program sets
//   exhaustion quota     under the preload's own quota (HEAPLAB_LIMIT)
//   exhaustion nothing   under a quota too small for any heap
//   exhaustion late      under a quota that is used up when threads begin to allocate
//   exhaustion survive   while one system call fails: NULL is allowed, and later requests succeed
//   exhaustion starve    while system calls fail permanently: only NULL and ENOMEM
//   exhaustion pinned    with all memory locked, so that the system takes none back; 77 where locking is not permitted
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "expect.h"
#include "statm.h"

enum { most = 4 << 20 };
static unsigned char *table[most];

static unsigned char mark(size_t index) { return (unsigned char)(index * 37 + 11); }

/// Fills memory with blocks of `size` until malloc fails, frees all but every 16th, checks those, and fills again.
/// Returns how many blocks fitted, which must take `least` bytes. Frees all of them in the end.
static size_t fill_with(size_t size, size_t least) {
  size_t count = 0;
  for (; count < most; count++) {
    errno = 0;
    unsigned char *block = opaque(malloc(size));
    if (!block) {
      EXPECT(errno == ENOMEM);
      break;
    }
    block[0] = block[size - 1] = mark(count);
    table[count] = block;
  }
  EXPECT(count > 8 && count < most && count * size >= least);
  errno = 0;
  EXPECT(calloc(1, (size_t)1 << 40) == NULL && errno == ENOMEM);
  unsigned char *grown = realloc(table[0], (size_t)1 << 40);
  EXPECT(grown == NULL && table[0][0] == mark(0));
  for (size_t i = 0; i < count; i++) {
    EXPECT(table[i][0] == mark(i) && table[i][size - 1] == mark(i));
    if (i % 16 != 0) free(table[i]);
  }
  size_t again = 0, wanted = count / 2;
  static unsigned char *second[most];
  for (; again < wanted; again++) {
    second[again] = opaque(malloc(size));
    if (!second[again]) break;
    second[again][0] = second[again][size - 1] = mark(again);
  }
  EXPECT(again * 10 >= wanted * 9);
  for (size_t i = 0; i < again; i++) {
    EXPECT(second[i][0] == mark(i));
    free(second[i]);
  }
  for (size_t i = 0; i < count; i += 16) {
    EXPECT(table[i][0] == mark(i) && table[i][size - 1] == mark(i));
    free(table[i]);
  }
  return count;
}

/// A block, its requested size, and the value of its checked bytes.
struct held {
  unsigned char *block;
  size_t size;
  unsigned char mark;
};

/// The distance between checked bytes: wide in large blocks, which otherwise would take most of the time.
static size_t stride_of(size_t size) { return size > 4 << 20 ? 4 << 20 : size > 1 << 20 ? 1 << 16 : 4096; }

static void expect_filled(const struct held *held, size_t size, unsigned char mark) {
  if (size == 0) return;
  for (size_t offset = 0; offset < size; offset += stride_of(held->size)) EXPECT(held->block[offset] == mark);
  if (size == held->size) EXPECT(held->block[size - 1] == mark);
}

static void fill(struct held *held, size_t size, unsigned char mark) {
  held->size = size;
  held->mark = mark;
  for (size_t offset = 0; offset < size; offset += stride_of(size)) held->block[offset] = mark;
  held->block[size - 1] = mark;
}

/// Resizes a block and checks that it kept its content; returns whether it succeeded.
static bool resize(struct held *held, size_t size, unsigned char new_mark) {
  errno = 0;
  unsigned char *block = opaque(realloc(held->block, size));
  if (!block) {
    EXPECT(errno == ENOMEM);
    return false;
  }
  held->block = block;
  // The last byte of a truncated block is a different one.
  expect_filled(held, size < held->size ? size : held->size, held->mark);
  fill(held, size, new_mark);
  return true;
}

/// Grows a mapping that has another one above it, which forces it to move, and fills the hole that it leaves, which
/// forces the next move. It does so until the table of mappings must grow, even in the middle of a move. Returns how
/// many requests were refused.
static size_t move_mappings(void) {
  enum { move_count = 70 };
  static struct held held, filler[move_count];
  size_t size = 33 << 20, refused = !resize(&filler[0], size, mark(0)) + !resize(&held, size, mark(0));
  for (size_t i = 1; i < move_count; i++) {
    size_t hole = held.size;
    refused += !resize(&held, size += 4096, mark(i));
    if (hole != 0) refused += !resize(&filler[i], hole, mark(i));
  }
  for (size_t i = 0; i < move_count; i++) {
    expect_filled(&filler[i], filler[i].size, filler[i].mark);
    free(filler[i].block);
  }
  expect_filled(&held, held.size, held.mark);
  free(held.block);
  return refused;
}

/// Requests every sort of block in every way, up to mappings that move. At most `most_refused` requests may be refused.
static void survive(size_t most_refused) {
  static struct held table_of_held[200];
  size_t refused = move_mappings();
  for (size_t i = 0; i < 3000; i++) {
    // Every 61st block is a mapping, and takes the place of a mapping.
    struct held *held = &table_of_held[i % 61 == 0 ? i / 61 % 3 : 3 + i * 7 % 197];
    expect_filled(held, held->size, held->mark);
    size_t size = i % 61 == 0 ? (33 << 20) + i * 40000 : i % 10 == 0 ? 3000000 : i % 3 == 0 ? 50000 : i % 900 + 1;
    if (i % 4 != 0) {
      free(held->block);
      *held = (struct held){0};
      if (i % 4 == 1) {
        *held = (struct held){opaque(calloc(1, size)), size, 0};
      } else if (i % 4 == 2) {
        held->block = opaque(memalign(8192, size));
      }
      if (!held->block) *held = (struct held){0};
    }
    refused += !resize(held, size, mark(i));
    if (i % 500 == 499) malloc_trim(0);
  }
  for (size_t i = 0; i < 200; i++) {
    expect_filled(&table_of_held[i], table_of_held[i].size, table_of_held[i].mark);
    free(table_of_held[i].block);
  }
  EXPECT(refused <= most_refused);
}

static void expect_nothing(void) {
  static const size_t sizes[] = {0, 1, 16, 300, 4000, 40000, 1 << 20, 64 << 20};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    errno = 0;
    EXPECT(opaque(malloc(sizes[i])) == NULL && errno == ENOMEM);
    errno = 0;
    EXPECT(opaque(calloc(1, sizes[i])) == NULL && errno == ENOMEM);
    errno = 0;
    EXPECT(opaque(memalign(64, sizes[i])) == NULL && errno == ENOMEM);
  }
}

static pthread_barrier_t barrier;

/// A thread that requests its first block when none is available, and again when one is.
static void *come_late(void *unused) {
  (void)unused;
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  errno = 0;
  void *early = opaque(malloc(20000));
  EXPECT(early != NULL || errno == ENOMEM);
  free(early);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  static _Thread_local void *blocks[2000];
  for (size_t i = 0; i < 2000; i++) EXPECT((blocks[i] = opaque(malloc(i))) != NULL);
  for (size_t i = 0; i < 2000; i++) free(blocks[i]);
  return NULL;
}

static void expect_late_threads(void) {
  enum { thread_count = 40 };
  pthread_t threads[thread_count];
  EXPECT(pthread_barrier_init(&barrier, NULL, thread_count + 1) == 0);
  for (size_t i = 0; i < thread_count; i++) EXPECT(pthread_create(&threads[i], NULL, come_late, NULL) == 0);
  pthread_barrier_wait(&barrier);
  size_t count = 0;
  for (size_t size = 1000; size > 0; size /= 10)
    for (; count < most && (table[count] = opaque(malloc(size))); count++) continue;
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  for (size_t i = 0; i < count; i++) free(table[i]);
  malloc_trim(0);
  pthread_barrier_wait(&barrier);
  for (size_t i = 0; i < thread_count; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  if (strcmp(argv[1], "nothing") == 0) {
    expect_nothing();
    return 0;
  }
  if (strcmp(argv[1], "late") == 0) {
    expect_late_threads();
    return 0;
  }
  if (strcmp(argv[1], "pinned") == 0 && mlockall(MCL_CURRENT | MCL_FUTURE) != 0) return 77;
  if (strcmp(argv[1], "limit") != 0 && strcmp(argv[1], "quota") != 0) {
    survive(strcmp(argv[1], "starve") == 0 ? SIZE_MAX : strcmp(argv[1], "survive") == 0 ? 9 : 0);
    return 0;
  }
  size_t least = 0;
  if (strcmp(argv[1], "limit") == 0) {
    struct rlimit limit = {300 << 20, 300 << 20};
    EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
    least = (limit.rlim_cur - mapped_byte_count()) / 100 * 80;
  }
  static const size_t sizes[] = {100, 1000, 30000, 300000, 5 << 20, 64, 200000};
  enum { size_count = sizeof sizes / sizeof *sizes };
  size_t counts[size_count];
  for (size_t i = 0; i < size_count; i++) counts[i] = fill_with(sizes[i], least);
  // Memory that held blocks of one size later serves every other size as well as at first.
  for (size_t i = 0; i < size_count; i++) EXPECT(fill_with(sizes[i], least) * 10 >= counts[i] * 9);
  return 0;
}
