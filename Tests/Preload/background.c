// HEAPLAB_BACKGROUND=1: memory goes back while the program makes no call, by a thread that is there only meanwhile.
//
//   background           every kind of memory, handlers and children of fork; the environment must set the variable
//   background off       the same frees start no thread: the environment must not set it
//   background end       the first thread ends; the process must end soon, too
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "expect.h"
#include "statm.h"

static const size_t mebibyte = 1 << 20;

/// How many threads the process has.
static unsigned thread_count(void) {
  struct stat tasks;
  EXPECT(stat("/proc/self/task", &tasks) == 0);
  return (unsigned)tasks.st_nlink - 2;
}

/// Waits, without a call of the heap, until the condition holds; 10 seconds at most.
#define WAIT_FOR(condition)                                              \
  do {                                                                   \
    for (int turn = 0; turn < 1000 && !(condition); turn++) usleep(10000); \
    EXPECT(condition);                                                   \
  } while (0)

static void *touched(size_t byte_count) {
  char *block = opaque(malloc(byte_count));
  EXPECT(block != NULL);
  for (size_t offset = 0; offset < byte_count; offset += 4096) block[offset] = 1;
  return block;
}

/// Holds, and frees, 128 MiB in blocks of one size.
static void *blocks_of(void *size) {
  size_t byte_count = (size_t)size, count = 128 * mebibyte / byte_count;
  char **blocks = mmap(NULL, count * sizeof *blocks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT(blocks != MAP_FAILED);
  for (size_t i = 0; i < count; i++) blocks[i] = touched(byte_count);
  for (size_t i = 0; i < count; i++) free(blocks[i]);
  EXPECT(munmap(blocks, count * sizeof *blocks) == 0);
  return NULL;
}

/// In a thread of its own, which ends.
static void in_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, body, argument) == 0);
  EXPECT(pthread_join(thread, NULL) == 0);
}

/// What is resident before, and soon again after: with 128 MiB of each kind of block.
static void every_kind(void) {
  free(touched(1000));
  size_t before = resident_byte_count();
  free(touched(128 * mebibyte));
  WAIT_FOR(resident_byte_count() < before + 4 * mebibyte);
  for (size_t size = 64; size <= 2 * mebibyte; size *= 8) {
    in_thread(blocks_of, (void *)size);
    WAIT_FOR(resident_byte_count() < before + 8 * mebibyte);
  }
  WAIT_FOR(thread_count() == 1);
}

/// Threads that are young and share a heap: what they free goes back, too.
static void *a_few(void *unused) {
  void *blocks[60];
  for (int i = 0; i < 60; i++) blocks[i] = touched(30000);
  for (int i = 0; i < 60; i++) free(blocks[i]);
  return unused;
}

static void young_threads(void) {
  pthread_t threads[40];
  size_t before = resident_byte_count();
  for (int i = 0; i < 40; i++) EXPECT(pthread_create(&threads[i], NULL, a_few, NULL) == 0);
  for (int i = 0; i < 40; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
  WAIT_FOR(thread_count() == 1);
  EXPECT(resident_byte_count() < before + 12 * mebibyte);
}

static volatile unsigned count_in_handler;

static void handler(int number) {
  (void)number;
  free(touched(64 * mebibyte));
  count_in_handler = thread_count();
}

/// A handler's frees start no thread. Those of a thread that merely blocks signals do.
static void handlers(void) {
  struct sigaction action = {.sa_handler = handler};
  EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
  EXPECT(raise(SIGUSR1) == 0 && count_in_handler == 1);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  EXPECT(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
  free(touched(64 * mebibyte));
  EXPECT(thread_count() == 2);
  WAIT_FOR(thread_count() == 1);
  EXPECT(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

/// Children have no such thread until they free memory, whenever fork came.
static void children(void) {
  for (int round = 0; round < 40; round++) {
    free(touched(40 * mebibyte));
    usleep((useconds_t)round * 5000);
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
      EXPECT(thread_count() == 1);
      size_t before = resident_byte_count();
      free(touched(48 * mebibyte));
      EXPECT(thread_count() == 2);
      WAIT_FOR(thread_count() == 1);
      EXPECT(resident_byte_count() < before + 4 * mebibyte);
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
  }
}

/// A busy program has one thread more, which wakes up once in a delay at most.
static void busy(void) {
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    free(touched(33 * mebibyte));
    EXPECT(thread_count() == 2);
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec < start.tv_sec + 2);
  WAIT_FOR(thread_count() == 1);
}

int main(int count, char **arguments) {
  const char *mode = count > 1 ? arguments[1] : "";
  if (strcmp(mode, "off") == 0) {
    free(touched(64 * mebibyte));
    in_thread(blocks_of, (void *)30000);
    EXPECT(thread_count() == 1);
    return 0;
  }
  if (strcmp(mode, "end") == 0) {
    free(touched(64 * mebibyte));
    EXPECT(thread_count() == 2);
    pthread_exit(NULL);
  }
  every_kind();
  young_threads();
  handlers();
  children();
  busy();
  return 0;
}
