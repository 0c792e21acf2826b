// Blocks above 32 MiB that come and go: their memory serves the next one without a page fault, calloc still gives zeros,
// and what nobody needs goes back, in bounded pieces.
//
//   kept         what is kept, for how long; the purge delay must be 100 ms, the default
//   kept reuse   the loops that meet no page fault; the delay must be longer than any wait for a processor
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "expect.h"
#include "statm.h"

void heaplab_set_quota(size_t byte_count) __attribute__((weak));

static const size_t mebibyte = 1 << 20;

static char *take(size_t count) {
  char *block = opaque(malloc(count * mebibyte));
  EXPECT(block != NULL);
  return block;
}

static void touch(char *block, size_t count, char value) {
  for (size_t offset = 0; offset < count * mebibyte; offset += 4096) block[offset] = value;
}

static int is_zero(const char *block, size_t count) {
  for (size_t offset = 0; offset < count * mebibyte; offset += 512)
    if (block[offset] != 0) return 0;
  return 1;
}

static long fault_count(void) {
  struct rusage usage;
  EXPECT(getrusage(RUSAGE_SELF, &usage) == 0);
  return usage.ru_minflt;
}

/// Sleeps without a call of the heap.
static void sleep_milliseconds(unsigned count) { usleep(count * 1000); }

/// Loops over blocks of these sizes in turn: only the first rounds meet pages that are not there.
static void turns(const size_t *counts, int size_count) {
  long before = 0;
  for (int round = 0; round < 20; round++) {
    if (round == 2) before = fault_count();
    for (int i = 0; i < size_count; i++) {
      char *block = take(counts[i]);
      touch(block, counts[i], 1);
      free(block);
    }
  }
  EXPECT(fault_count() - before < 1000);
  malloc_trim(0);
}

static void zeros(void) {
  for (int round = 0; round < 3; round++) {
    char *block = take(48);
    touch(block, 48, 7);
    free(block);
    block = opaque(calloc(40, mebibyte));
    EXPECT(block != NULL && is_zero(block, 40));
    touch(block, 40, 8);
    free(block);
  }
  malloc_trim(0);
}

/// Blocks that grow by and by, one after the other, never hold more than the largest.
static void growth(void) {
  size_t before = resident_byte_count();
  for (size_t count = 40; count < 400; count += 45) {
    char *block = take(count);
    touch(block, count, 1);
    EXPECT(resident_byte_count() < before + (count + 4) * mebibyte);
    free(block);
  }
  malloc_trim(0);
  EXPECT(resident_byte_count() < before + 4 * mebibyte);
}

/// Many blocks at once leave at most 16 mappings and 1 GiB.
static void bounds(void) {
  char *blocks[32];
  for (size_t count = 40; count <= 280; count += 240) {
    size_t before = mapped_byte_count();
    for (int i = 0; i < 32; i++) blocks[i] = take(count);
    for (int i = 0; i < 32; i++) free(blocks[i]);
    size_t most = 16 * count < 1024 ? 16 * count : 1024;
    EXPECT(mapped_byte_count() <= before + most * mebibyte + mebibyte);
    EXPECT(malloc_trim(0) == 1);
    EXPECT(mapped_byte_count() <= before + mebibyte);
  }
}

/// After the delay, each call that takes the slow path returns a piece, and the next ones all of it.
static void decay(void) {
  char *held = take(40), *block = take(256);
  size_t before = resident_byte_count();
  touch(block, 256, 1);
  free(block);
  EXPECT(resident_byte_count() > before + 250 * mebibyte);
  sleep_milliseconds(150);
  size_t resident = resident_byte_count();
  for (int call = 0; call < 300 && resident > before + mebibyte; call++) {
    // The size of a mapping is a look into a table, by the slow path.
    EXPECT(malloc_usable_size(held) >= 40 * mebibyte);
    size_t now = resident_byte_count();
    EXPECT(now + 5 * mebibyte > resident);
    resident = now;
  }
  EXPECT(resident <= before + 2 * mebibyte);
  free(held);
  malloc_trim(0);
}

/// Rests of long blocks go back while short ones come and go in front.
static void rest(void) {
  size_t before = resident_byte_count();
  char *block = take(200);
  touch(block, 200, 1);
  free(block);
  for (int round = 0; round < 300; round++) {
    block = take(40);
    touch(block, 40, 1);
    free(block);
    sleep_milliseconds(2);
  }
  EXPECT(resident_byte_count() < before + 50 * mebibyte);
  malloc_trim(0);
}

/// A child of fork uses what it inherited, and its parent sees nothing of it.
static void children(void) {
  char *block = take(64);
  touch(block, 64, 3);
  free(block);
  pid_t child = fork();
  EXPECT(child >= 0);
  char *mine = take(64);
  touch(mine, 64, child == 0 ? 4 : 5);
  sleep_milliseconds(20);
  for (size_t offset = 0; offset < 64 * mebibyte; offset += 4096) EXPECT(mine[offset] == (child == 0 ? 4 : 5));
  free(mine);
  if (child == 0) _exit(0);
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  malloc_trim(0);
}

/// What is kept counts against a quota, and gives way to requests of every kind.
static void quota(void) {
  if (heaplab_set_quota == NULL) return;
  heaplab_set_quota(mallinfo2().uordblks + 128 * mebibyte);
  free(take(100));
  char *block = take(120), *blocks[600];
  free(block);
  free(take(20));
  free(take(90));
  for (int i = 0; i < 600; i++) EXPECT((blocks[i] = opaque(malloc(100000))) != NULL);
  for (int i = 0; i < 600; i++) free(blocks[i]);
  malloc_trim(0);
  block = take(40);
  free(take(50));
  block = opaque(realloc(block, 80 * mebibyte));
  EXPECT(block != NULL);
  free(block);
  heaplab_set_quota((size_t)-1);
  malloc_trim(0);
}

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "reuse") == 0) {
    turns((size_t[]){40}, 1);
    turns((size_t[]){64, 40}, 2);
    turns((size_t[]){100, 33, 67, 150}, 4);
    return 0;
  }
  zeros();
  growth();
  bounds();
  decay();
  rest();
  children();
  quota();
  return 0;
}
