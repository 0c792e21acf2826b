// Running out of memory is an ordinary result: NULL and ENOMEM, what was allocated stays intact, and there is memory
// again after frees.
//
//   exhaustion limit     under an RLIMIT_AS that this program sets for itself
//   exhaustion quota     under the quota of the preload's own (HEAPLAB_LIMIT)
//   exhaustion survive   while some system call fails: NULL is an answer, and later requests succeed
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "expect.h"

enum { most = 4 << 20 };
static unsigned char *table[most];

static unsigned char mark(size_t index) { return (unsigned char)(index * 37 + 11); }

/// Fills memory with blocks of `size` until malloc says no; frees all but every 16th, checks those, and goes on.
static void fill_with(size_t size) {
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
  EXPECT(count > 8 && count < most);
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
}

/// Asks for every sort of block; one may be refused now and then, but not for good.
static void survive(void) {
  size_t refused = 0;
  for (size_t i = 0; i < 3000; i++) {
    size_t size = i % 10 == 0 ? 3000000 : i % 3 == 0 ? 50000 : i % 900 + 1;
    unsigned char *block = opaque(malloc(size));
    if (!block) {
      refused++;
      continue;
    }
    block[0] = block[size - 1] = mark(i);
    table[i % 300] = (free(table[i % 300]), block);
  }
  EXPECT(refused < 10);
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  if (strcmp(argv[1], "survive") == 0) {
    survive();
    return 0;
  }
  if (strcmp(argv[1], "limit") == 0) {
    struct rlimit limit = {300 << 20, 300 << 20};
    EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
  }
  static const size_t sizes[] = {100, 1000, 30000, 300000, 5 << 20, 64, 200000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) fill_with(sizes[i]);
  return 0;
}
