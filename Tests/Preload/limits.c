// The heap under scarce address space: it takes what it uses, and leaves the rest to others.
//
//   limits threads    under RLIMIT_AS, as many threads as fit beside a small heap, and mappings beside them
//   limits turns      under RLIMIT_AS, the heap and the program's own mappings share the address space
//   limits locked     less than 32 MiB is mapped, and can be locked under a limit of 32 MiB
//   limits lowered    a limit that the program lowers after its first allocation binds the heap, and no one else
//   limits beyond     small blocks after more than 256 GiB of large ones
//   limits holes      mappings of the program in the heap's way stay as they are, and the heap goes on behind them
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "expect.h"
#include "statm.h"

enum { mebibyte = 1 << 20, limit = 1024 * mebibyte };
static pthread_barrier_t barrier;

static void *allocate_and_wait(void *unused) {
  (void)unused;
  void *block = opaque(malloc(1000));
  EXPECT(block != NULL);
  pthread_barrier_wait(&barrier);
  free(block);
  return NULL;
}

static void *mapping_of(size_t size) {
  return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/// Threads with stacks for nine tenths of the limit.
static void threads(void) {
  enum { stack = 8 * mebibyte, count = limit / 10 * 9 / stack };
  static pthread_t all[count];
  pthread_attr_t attributes;
  EXPECT(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, stack) == 0);
  EXPECT(pthread_barrier_init(&barrier, NULL, count + 1) == 0);
  for (int i = 0; i < count; i++) EXPECT(pthread_create(&all[i], &attributes, allocate_and_wait, NULL) == 0);
  EXPECT(mapping_of(limit / 32) != MAP_FAILED);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < count; i++) EXPECT(pthread_join(all[i], NULL) == 0);
}

/// Allocates a block and a mapping in turn until one of them is refused: by then most of the limit is in use.
static void turns(size_t size) {
  size_t byte_count = 0;
  for (;;) {
    char *block = opaque(malloc(size)), *mapping = mapping_of(mebibyte);
    if (block) memset(block, 1, size), byte_count += size;
    if (mapping != MAP_FAILED) byte_count += mebibyte;
    if (!block || mapping == MAP_FAILED) break;
  }
  EXPECT(byte_count >= (size_t)limit / 10 * 7);
}

/// Without privilege, mlockall(MCL_CURRENT) checks that all mappings together are below RLIMIT_MEMLOCK.
static void locked(void) {
  free(opaque(malloc(100)));
  size_t mapped = mapped_byte_count();
  EXPECT(mapped > 0 && mapped < 32 * mebibyte);
  // The limit can be lowered anywhere, but not raised everywhere.
  struct rlimit memory = {32 * mebibyte, 32 * mebibyte};
  if (setrlimit(RLIMIT_MEMLOCK, &memory) != 0 || (geteuid() == 0 && setuid(65534) != 0)) return;
  EXPECT(mlockall(MCL_CURRENT) == 0);
}

static void limit_address_space(void) {
  struct rlimit address_space = {limit, limit};
  EXPECT(setrlimit(RLIMIT_AS, &address_space) == 0);
}

/// Blocks of `size` until malloc refuses: they must take most of the limit, and no more.
static void fill(size_t size) {
  size_t byte_count = 0;
  for (char *block; byte_count <= limit && (block = opaque(malloc(size))) != NULL; byte_count += size) block[0] = 1;
  EXPECT(byte_count <= limit && byte_count >= (size_t)limit / 10 * 7);
}

static void lowered(void) {
  // More than one chunk of the heap.
  static void *blocks[300];
  for (int i = 0; i < 300; i++) EXPECT((blocks[i] = opaque(malloc(8 * mebibyte))) != NULL);
  // Over the limit nothing more is to be had, but what there is serves.
  limit_address_space();
  EXPECT(opaque(malloc(2048ul * mebibyte)) == NULL);
  for (int i = 0; i < 300; i++) free(blocks[i]);
  for (int i = 0; i < 200; i++) EXPECT(opaque(malloc(8 * mebibyte)) != NULL);
}

static void beyond(void) {
  enum { large_count = 270 * 1024 / 30 };
  for (int i = 0; i < large_count; i++) EXPECT(opaque(malloc(30 * mebibyte)) != NULL);
  for (int i = 0; i < 3000; i++) {
    EXPECT(opaque(malloc(32000)) != NULL);
    EXPECT(opaque(malloc(100)) != NULL);
    EXPECT(opaque(malloc(100000)) != NULL);
  }
}

/// Puts a page of the program's own behind the heap's highest block, again and again.
static void holes(void) {
  enum { hole_count = 20, block_count = 400 };
  static unsigned char *hole[hole_count], *held[hole_count][block_count];
  for (int i = 0; i < hole_count; i++) {
    uintptr_t highest = 0;
    for (int j = 0; j < block_count; j++) {
      EXPECT((held[i][j] = opaque(malloc(30000))) != NULL);
      memset(held[i][j], i + 1, 30000);
      if ((uintptr_t)held[i][j] > highest) highest = (uintptr_t)held[i][j];
    }
    // The first page above it where nothing is mapped.
    size_t page = 65536;
    for (uintptr_t at = (highest | (page - 1)) + 1; hole[i] == NULL; at += page) {
      void *mapped = mmap((void *)at, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                          -1, 0);
      if (mapped == (void *)at) hole[i] = mapped;
    }
    memset(hole[i], 0xEE, page);
  }
  for (int i = 0; i < hole_count; i++) {
    for (size_t k = 0; k < 65536; k++) EXPECT(hole[i][k] == 0xEE);
    for (int j = 0; j < block_count; j++) {
      EXPECT(held[i][j][0] == i + 1 && held[i][j][29999] == i + 1);
      free(held[i][j]);
    }
  }
  malloc_trim(0);
  EXPECT(malloc_usable_size(opaque(malloc(1000))) >= 1000 && mallinfo2().uordblks > 0);
  for (int i = 0; i < hole_count; i++) EXPECT(hole[i][0] == 0xEE && hole[i][65535] == 0xEE);
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  static const struct { const char *name; void (*run)(void); } unlimited[] = {
    {"locked", locked}, {"lowered", lowered}, {"beyond", beyond}, {"holes", holes}};
  for (size_t i = 0; i < sizeof unlimited / sizeof *unlimited; i++) {
    if (strcmp(argv[1], unlimited[i].name) == 0) {
      unlimited[i].run();
      return 0;
    }
  }
  free(opaque(malloc(100)));
  limit_address_space();
  if (strcmp(argv[1], "threads") == 0) {
    threads();
    return 0;
  }
  static void (*const ways[])(size_t) = {turns, fill};
  static const size_t sizes[] = {1000, 30000, 200000, 4 * mebibyte};
  for (size_t i = 0; i < 2 * (sizeof sizes / sizeof *sizes); i++) {
    pid_t child = fork();
    if (child == 0) {
      ways[i % 2](sizes[i / 2]);
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
  return 0;
}
