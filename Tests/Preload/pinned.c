// A pinned heap (HEAPLAB_PIN): what is locked, what happens when it is used up, in a child of fork, and that the steady
// state has neither page faults nor system calls.
//
//   pinned steady COUNT   two threads make COUNT mixed operations together; marks the phase for strace by writes to no file
//   pinned fail BYTES     nothing comes from the system, also not for the largest blocks and for threads
//   pinned spill BYTES    the heap goes on behind the pinned part
//   pinned held BYTES     at least so many bytes are locked and in memory
//   pinned fills BYTES    the heap holds so many bytes, pinned or not
//   pinned none           nothing is locked, and malloc works
//   pinned child          a child has no locks, and gets them when it asks
//   pinned lower KIB PROGRAM...   runs a program that may lock so much, without the privilege to lock more
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <heaplab.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <dlfcn.h>
#include <malloc.h>

enum { THREADS = 2, LIVE = 4096, SHARED = 1024, CAP_IPC_LOCK_NUMBER = 14 };

static uint64_t next(uint64_t *seed) {
  *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
  return *seed;
}

static size_t any_size(uint64_t *seed) {
  uint64_t kind = next(seed) % 1000;
  if (kind < 800) return 1 + next(seed) % 512;
  if (kind < 950) return 1 + next(seed) % 4096;
  if (kind < 995) return 1 + next(seed) % (32 << 10);
  return 1 + next(seed) % (200 << 10);
}

static _Atomic(char *) shared[SHARED];
static long operation_count;
static pthread_barrier_t barrier;

static void mark(const char *text) { (void)!write(-1, text, strlen(text)); }

static void touch(char *block, size_t size) { block[0] = 1, block[size - 1] = 1; }

/// One operation: a block of the thread's, one that goes to the other thread, or a larger or smaller one.
static void operate(char **live, uint64_t *seed) {
  size_t size = any_size(seed);
  char **slot = &live[next(seed) % LIVE];
  switch (next(seed) % 8) {
    case 0: {
      char *block = malloc(size);
      EXPECT(block != NULL);
      touch(block, size);
      free(atomic_exchange(&shared[next(seed) % SHARED], block));
      return;
    }
    case 1: {
      char *block = realloc(*slot, size);
      EXPECT(block != NULL);
      *slot = block;
      break;
    }
    case 2:
      free(*slot);
      *slot = calloc(1, size);
      break;
    case 3:
      free(*slot);
      *slot = aligned_alloc(64, (size + 63) & ~(size_t)63);
      break;
    default:
      free(*slot);
      *slot = malloc(size);
  }
  EXPECT(*slot != NULL);
  touch(*slot, size);
}

static long faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

static void *work(void *argument) {
  static char *all_live[THREADS][LIVE];
  char **live = all_live[(intptr_t)argument];
  uint64_t seed = 0x9E3779B97F4A7C15u * (uint64_t)((intptr_t)argument + 1);
  memset(live, 0, sizeof all_live[0]);
  // Warm: blocks, the code of libc, the stack.
  for (long count = 0; count < operation_count / 4 / THREADS + 200000; count++) operate(live, &seed);
  pthread_barrier_wait(&barrier);
  long before = faults();
  mark("steady begins");
  for (long count = 0; count < operation_count / THREADS; count++) operate(live, &seed);
  mark("steady ends");
  long after = faults();
  pthread_barrier_wait(&barrier);
  printf("thread %ld: %ld page faults\n", (long)(intptr_t)argument, after - before);
  fflush(stdout);
  EXPECT(after == before);
  for (int i = 0; i < LIVE; i++) free(live[i]);
  return NULL;
}

static void steady(long count) {
  operation_count = count;
  memset(shared, 0, sizeof shared);
  pthread_barrier_init(&barrier, NULL, THREADS);
  pthread_t threads[THREADS];
  for (intptr_t i = 0; i < THREADS; i++) EXPECT(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/// The first number behind `field` in a file of the process, read without allocating.
static long number(const char *path, const char *field) {
  char text[8192];
  int file = open(path, O_RDONLY);
  EXPECT(file >= 0);
  ssize_t length = read(file, text, sizeof text - 1);
  EXPECT(length > 0);
  text[length] = 0;
  close(file);
  char *found = strstr(text, field);
  EXPECT(found != NULL);
  return strtol(found + strlen(field), NULL, 10);
}

static long locked_bytes(void) { return number("/proc/self/status", "VmLck:") * 1024; }
static long mapped_pages(void) { return number("/proc/self/statm", ""); }

static size_t pinned_bytes(void) {
  struct heaplab_statistics statistics;
  void (*read_statistics)(struct heaplab_statistics *, size_t) = dlsym(RTLD_DEFAULT, "heaplab_read_statistics");
  EXPECT(read_statistics != NULL);
  read_statistics(&statistics, sizeof statistics);
  return statistics.pinned_byte_count;
}

/// Allocates blocks of a size until there is no memory. The first word links them.
static size_t fill(size_t size, void ***blocks) {
  size_t sum = 0;
  for (void **block; (block = opaque(malloc(opaque_size(size)))) != NULL; sum += size) {
    memset(block, 1, size);
    *block = *blocks;
    *blocks = block;
    if (sum > (size_t)8 << 30) return sum;
  }
  EXPECT(errno == ENOMEM);
  return sum;
}

static void empty(void ***blocks) {
  while (*blocks != NULL) {
    void **block = *blocks;
    *blocks = *block;
    free(block);
  }
}

static void *allocate_in_thread(void *argument) {
  void **block = malloc(100);
  free(block);
  return argument;
}

static void fill_all(size_t byte_count) {
  void **blocks = NULL;
  static const size_t sizes[] = {64, 5000, 20000, 100000, 3 << 20};
  for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t sum = fill(sizes[i], &blocks);
    if (sum < byte_count / 4 * 3 || sum > byte_count) {
      dprintf(2, "blocks of %zu: %zu of %zu bytes\n", sizes[i], sum, byte_count);
      EXPECT(!"the blocks must fill the pinned part, and no more");
    }
    empty(&blocks);
  }
  // Too large for the arenas' usual requests: elsewhere a mapping.
  void *largest = opaque(malloc(opaque_size((33 << 20))));
  EXPECT(largest != NULL);
  memset(largest, 1, 33 << 20);
  largest = opaque(realloc(largest, 34 << 20));
  EXPECT(largest != NULL);
  free(largest);
  EXPECT(opaque(malloc(opaque_size(byte_count))) == NULL && errno == ENOMEM);
}

static void fail(size_t byte_count) {
  free(opaque(malloc(1)));
  long before = mapped_pages();
  // The first time, the code of libc and of this program faults in.
  fill_all(byte_count);
  long faults_before = faults();
  fill_all(byte_count);
  EXPECT(mapped_pages() == before);
  EXPECT(faults() == faults_before);
  for (int i = 0; i < 40; i++) {
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, allocate_in_thread, NULL) == 0);
    pthread_join(thread, NULL);
  }
}

static void spill(size_t byte_count) {
  void **blocks = NULL;
  size_t sum = 0;
  for (; sum < 2 * byte_count; sum += 10000) {
    void **block = malloc(10000);
    EXPECT(block != NULL);
    memset(block, 1, 10000);
    *block = blocks;
    blocks = block;
  }
  EXPECT(pinned_bytes() >= byte_count && pinned_bytes() < byte_count + byte_count / 4 + (4 << 20));
  empty(&blocks);
  // What lies behind the pinned part goes back; the pinned part stays.
  malloc_trim(0);
  EXPECT(locked_bytes() >= (long)byte_count);
  EXPECT(number("/proc/self/status", "VmRSS:") * 1024 < (long)(byte_count + byte_count / 2 + (16 << 20)));
}

static void child(void) {
  char *block = opaque(malloc(100));
  EXPECT(pinned_bytes() != 0);
  memset(block, 7, 100);
  pid_t process = fork();
  EXPECT(process >= 0);
  if (process == 0) {
    int (*pin_again)(void) = dlsym(RTLD_DEFAULT, "heaplab_pin_again");
    EXPECT(locked_bytes() == 0);
    free(opaque(malloc(100000)));
    for (int i = 0; i < 1000; i++) EXPECT(opaque(malloc(100)) != NULL);
    EXPECT(pinned_bytes() == 0);
    EXPECT(block[99] == 7);
    EXPECT(pin_again() == 0);
    EXPECT(pinned_bytes() != 0 && locked_bytes() >= (long)pinned_bytes());
    EXPECT(pin_again() == 0);
    _exit(0);
  }
  int status;
  EXPECT(waitpid(process, &status, 0) == process && status == 0);
  EXPECT(locked_bytes() >= (long)pinned_bytes() && pinned_bytes() != 0);
}

int main(int count, char **arguments) {
  EXPECT(count >= 2);
  const char *situation = arguments[1];
  size_t byte_count = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
  if (strcmp(situation, "steady") == 0) steady((long)byte_count);
  else if (strcmp(situation, "fail") == 0) fail(byte_count);
  else if (strcmp(situation, "spill") == 0) spill(byte_count);
  else if (strcmp(situation, "child") == 0) child();
  else if (strcmp(situation, "fills") == 0) {
    EXPECT(pinned_bytes() == 0);
    for (size_t sum = 0; sum < byte_count; sum += 1 << 20) {
      char *block = malloc(1 << 20);
      EXPECT(block != NULL);
      memset(block, 1, 1 << 20);
    }
  } else if (strcmp(situation, "held") == 0) {
    free(opaque(malloc(1)));
    EXPECT(pinned_bytes() >= byte_count && locked_bytes() >= (long)byte_count);
    EXPECT(number("/proc/self/status", "VmRSS:") * 1024 >= (long)byte_count);
  } else if (strcmp(situation, "none") == 0) {
    free(opaque(malloc(40 << 20)));
    free(opaque(malloc(100)));
    EXPECT(pinned_bytes() == 0 && locked_bytes() == 0);
  } else if (strcmp(situation, "lower") == 0) {
    EXPECT(count > 3);
    struct rlimit limit = {byte_count * 1024, byte_count * 1024};
    // Whoever may not drop it has not got it.
    prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK_NUMBER);
    EXPECT(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    execv(arguments[3], arguments + 3);
    EXPECT(!"the program must start");
  } else EXPECT(!"a situation");
  return 0;
}
