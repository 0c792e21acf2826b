// The heap under scarce address space: it takes what it uses, and leaves the rest to others.
//
//   limits threads    under RLIMIT_AS, as many threads as fit beside a small heap, and mappings beside them
//   limits turns      under RLIMIT_AS, the heap and the program's own mappings share the address space
//   limits locked     less than 64 MiB is mapped, and can be locked under a limit of 64 MiB
#define _GNU_SOURCE
#include <pthread.h>
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
  EXPECT(mapped > 0 && mapped < 64 * mebibyte);
  // The limit can be lowered anywhere, but not raised everywhere.
  struct rlimit memory = {64 * mebibyte, 64 * mebibyte};
  if (setrlimit(RLIMIT_MEMLOCK, &memory) != 0 || (geteuid() == 0 && setuid(65534) != 0)) return;
  EXPECT(mlockall(MCL_CURRENT) == 0);
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  if (strcmp(argv[1], "locked") == 0) {
    locked();
    return 0;
  }
  struct rlimit address_space = {limit, limit};
  EXPECT(setrlimit(RLIMIT_AS, &address_space) == 0);
  free(opaque(malloc(100)));
  if (strcmp(argv[1], "threads") == 0) {
    threads();
    return 0;
  }
  static const size_t sizes[] = {1000, 30000, 200000, 4 * mebibyte};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    pid_t child = fork();
    if (child == 0) {
      turns(sizes[i]);
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
  return 0;
}
