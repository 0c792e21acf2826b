// Forks of a program whose allocator is in use: parent and child both go on allocating, whatever the fork interrupted.
//
//   fork SITUATION COUNT     situations: load, stdio, signal, both, atfork
//
// load    other threads constantly allocate, free and hand blocks to each other
// stdio   as load, and other threads hold stdio's locks while the fork happens
// signal  a timer's handler forks, sometimes in the middle of malloc, and the child allocates in it
// both    signal, under load
// atfork  as load, with the program's own atfork handlers, which allocate
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "expect.h"

enum { thread_count = 4, slot_count = 256 };

static atomic_int stop;
static _Atomic(void *) shared_slots[slot_count];

static size_t size_of_step(unsigned step) {
  static const size_t sizes[] = {16, 48, 100, 500, 2000, 9000, 40000, 150000, 24, 64, 64, 300};
  return sizes[step % (sizeof sizes / sizeof *sizes)] + step % 13;
}

/// Allocates, writes, checks and frees, which both sides of a fork must still be able to do.
static void exercise(unsigned seed) {
  unsigned char *blocks[24];
  for (unsigned i = 0; i < 24; i++) {
    size_t size = size_of_step(seed + i);
    blocks[i] = opaque(i % 3 == 0 ? calloc(1, size) : malloc(size));
    EXPECT(blocks[i] != NULL);
    memset(blocks[i], (int)(i + 1), size);
  }
  for (unsigned i = 0; i < 24; i++) {
    EXPECT(blocks[i][0] == i + 1 && blocks[i][size_of_step(seed + i) - 1] == i + 1);
    if (i % 4 == 0) blocks[i] = opaque(realloc(blocks[i], size_of_step(seed + i) * 2));
    EXPECT(blocks[i] != NULL && blocks[i][0] == i + 1);
    free(blocks[i]);
  }
}

static void *load(void *argument) {
  unsigned step = (unsigned)(uintptr_t)argument * 977;
  while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
    void *block = malloc(size_of_step(step));
    EXPECT(block != NULL);
    void *old = atomic_exchange(&shared_slots[step * 31 % slot_count], block);
    free(old);
    step++;
  }
  return NULL;
}

static void *write_to_stdio(void *argument) {
  FILE *sink = argument;
  while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
    flockfile(sink);
    char *line = NULL;
    int length = asprintf(&line, "%d bytes", 1234);
    EXPECT(length > 0);
    fputs(line, sink);
    free(line);
    funlockfile(sink);
  }
  return NULL;
}

/// Waits at most 20 seconds for a child, which must succeed.
static void expect_child_ends_well(pid_t child) {
  for (int i = 0; i < 200000; i++) {
    int status;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) {
      EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
      return;
    }
    EXPECT(ended == 0 || errno == EINTR);
    struct timespec pause = {0, i < 1000 ? 20000 : 100000};
    nanosleep(&pause, NULL);
  }
  kill(child, SIGKILL);
  dprintf(STDERR_FILENO, "fork: a child hangs\n");
  _exit(1);
}

static void fork_once(unsigned seed) {
  pid_t child = fork();
  EXPECT(child >= 0);
  if (child == 0) {
    exercise(seed);
    _exit(0);
  }
  exercise(seed + 1);
  expect_child_ends_well(child);
}

static volatile sig_atomic_t has_forked;

static void fork_in_handler(int signal_number) {
  (void)signal_number;
  int saved = errno;
  pid_t child = fork();
  EXPECT(child >= 0);
  if (child == 0) {
    exercise(3);
    _exit(0);
  }
  expect_child_ends_well(child);
  has_forked = 1;
  errno = saved;
}

/// Forks from a signal handler at `count` moments spread over the allocator's work.
static void fork_from_signals(unsigned count) {
  struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
  EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
  for (unsigned i = 0; i < count; i++) {
    has_forked = 0;
    struct itimerval once = {{0, 0}, {0, 20 + i * 7919 % 200}};
    EXPECT(setitimer(ITIMER_REAL, &once, NULL) == 0);
    for (unsigned step = i; !has_forked; step++) exercise(step);
  }
}

static void allocate_in_atfork(void) { exercise(5); }

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  const char *situation = argv[1];
  unsigned count = (unsigned)atoi(argv[2]);
  pthread_t threads[thread_count + 2];
  int running = 0;
  if (strcmp(situation, "atfork") == 0)
    EXPECT(pthread_atfork(allocate_in_atfork, allocate_in_atfork, allocate_in_atfork) == 0);
  // The signal is for the process and must reach the thread that forks.
  sigset_t alarm_only, before;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  EXPECT(pthread_sigmask(SIG_BLOCK, &alarm_only, &before) == 0);
  if (strcmp(situation, "signal") != 0)
    for (; running < thread_count; running++)
      EXPECT(pthread_create(&threads[running], NULL, load, (void *)(uintptr_t)(running + 1)) == 0);
  if (strcmp(situation, "stdio") == 0) {
    FILE *sink = fopen("/dev/null", "w");
    EXPECT(sink != NULL);
    for (int i = 0; i < 2; i++) EXPECT(pthread_create(&threads[running++], NULL, write_to_stdio, sink) == 0);
  }
  EXPECT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
  if (strcmp(situation, "signal") == 0 || strcmp(situation, "both") == 0)
    fork_from_signals(count);
  else
    for (unsigned i = 0; i < count; i++) fork_once(i);
  atomic_store(&stop, 1);
  for (int i = 0; i < running; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
  return 0;
}
