// Forks while another thread is halted in the middle of an allocator request, at any point: the processor single-steps,
// and SIGTRAP halts the thread at every selected instruction.
//
//   halted SITUATION STEP     halts at every STEP-th instruction of each request
//
// fork     the child allocates and frees
// starved  as fork, but the system gives the child no more memory
// size     the child queries the size of a block, without mappings; under any HEAPLAB_POLICY
// thread   a thread of the child allocates first, on the halted thread's stack and thread-local storage
// wait     a timer's handler forks while the forking thread itself waits for the halted one, and the child goes on
//
// An allocator that takes its locks at fork would wait for the halted thread forever. Status 77 on processors other
// than x86-64.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "expect.h"
#include "steps.h"

#if defined(__x86_64__)

enum situation { in_fork, in_starved, in_size, in_thread, in_wait };
static enum situation situation;

enum {
  large_size = 300000,
  /// More than an arena serves: it gets its own mapping.
  mapped_size = 33 << 20,
  /// Together with the tombstones, these half fill the table of 256 mappings, which must next grow to 512 slots.
  mapped_count = 70,
  tombstone_count = 50,
  small_count = 16,
};

/// Blocks of the thread that forks.
static unsigned char *mapped[mapped_count], *small[small_count];
static sigset_t child_signal;

static size_t size_of_small(unsigned i) { return 16 + i * i * 140; }

// ---- The thread that halts ----

static sem_t is_halted, is_resumed;
static atomic_bool is_halting, is_done;
static unsigned long instruction_count, next_halt, step;
static _Thread_local char thread_mark;
static char *mark_of_halted;

static void halt(int signal_number) {
  (void)signal_number;
  instruction_count++;
  if (instruction_count < next_halt || !is_halting) return;
  next_halt = instruction_count + step;
  int saved = errno;
  sem_post(&is_halted);
  while (sem_wait(&is_resumed) != 0) {}
  errno = saved;
}

struct request {
  /// The size of a block that the thread allocates first; 0 for none: then the request is its first.
  size_t size_before;
  /// The new size of that block, or the size of a new one; 0 to free it.
  size_t size;
  bool is_new;
  /// How often a new block is allocated and freed; only once when threads wait for it.
  unsigned count;
};
static const struct request requests[] = {
    {0, 100, true, 1},
    {64, 5000, true, 1},
    {64, large_size, true, 1},
    {6000000, 0, false, 1},
    // One of these makes the table grow.
    {64, mapped_size, true, 10},
    {mapped_size, 2 * mapped_size, false, 1},
    {mapped_size, 0, false, 1},
};
enum { request_count = sizeof requests / sizeof *requests };

static void *make_request(void *argument) {
  const struct request *request = argument;
  mark_of_halted = &thread_mark;
  void *block = NULL;
  if (request->size_before != 0) EXPECT((block = malloc(request->size_before)) != NULL);
  for (unsigned i = 0; i < (situation == in_wait ? 1 : request->count); i++) {
    void *before = request->is_new ? NULL : block;
    BEGIN_STEPS();
    void *result = realloc(before, request->size);
    END_STEPS();
    EXPECT((result != NULL) == (request->size != 0));
    free(result);
  }
  if (request->is_new) free(block);
  is_done = true;
  sem_post(&is_halted);
  return NULL;
}

// ---- The thread that forks ----

/// Allocates blocks of many sizes, writes, checks and frees. With `is_starved` none of them is a mapping, and requests
/// may fail.
static void exercise(bool is_starved) {
  static const size_t larger[] = {60000, large_size, 5000000, mapped_size};
  enum { most = small_count + sizeof larger / sizeof *larger };
  static unsigned char *blocks[most];
  static size_t sizes[most];
  const unsigned count = is_starved ? most - 1 : most;
  for (unsigned i = 0; i < count; i++) {
    sizes[i] = i < small_count ? size_of_small(i) : larger[i - small_count];
    blocks[i] = opaque(malloc(sizes[i]));
    EXPECT(blocks[i] != NULL || is_starved);
    if (blocks[i] != NULL) blocks[i][0] = blocks[i][sizes[i] - 1] = (unsigned char)i;
  }
  for (unsigned i = 0; i < count; i++) {
    if (blocks[i] == NULL) continue;
    EXPECT(blocks[i][0] == i && blocks[i][sizes[i] - 1] == i);
    // The last block moves without a copy.
    unsigned char *moved = i % 4 == 3 ? opaque(realloc(blocks[i], sizes[i] * 2)) : NULL;
    if (moved != NULL) blocks[i] = moved;
    EXPECT(blocks[i][0] == i && blocks[i][sizes[i] - 1] == i);
    free(blocks[i]);
  }
}

/// The last steps of a child: frees its parent's blocks.
static void end_child(void) {
  for (unsigned i = 0; i < small_count; i++) {
    EXPECT(small[i][0] == i + 1 && small[i][size_of_small(i) - 1] == i + 1);
    free(small[i]);
  }
  for (unsigned i = 0; i < mapped_count; i++) {
    EXPECT(mapped[i][0] == i + 1);
    free(mapped[i]);
  }
  _exit(0);
}

/// Waits at most 10 seconds for a child, which must succeed.
static void expect_child_ends_well(pid_t child) {
  int status;
  while (waitpid(child, &status, WNOHANG) == 0) {
    // Every thread blocks the signal.
    struct timespec at_most = {10, 0};
    if (sigtimedwait(&child_signal, NULL, &at_most) > 0 || errno != EAGAIN) continue;
    kill(child, SIGKILL);
    // Not stdio, which may allocate and then wait for the halted thread.
    static const char line[] = "halted: a child hangs\n";
    _exit(write(STDERR_FILENO, line, sizeof line - 1) < 0 ? 2 : 1);
  }
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static pthread_attr_t attributes;

static void *exercise_on_its_stack(void *argument) {
  EXPECT(&thread_mark == mark_of_halted);
  exercise(false);
  return argument;
}

static volatile sig_atomic_t has_forked, is_child;

static void fork_now(void) {
  pid_t child = fork();
  EXPECT(child >= 0);
  if (child != 0) return expect_child_ends_well(child);
  if (situation == in_size) {
    (void)opaque_size(malloc_usable_size(small[0]));
    free(opaque(malloc(100)));
    _exit(0);
  }
  if (situation == in_starved) {
    struct rlimit nothing = {0, 0};
    EXPECT(setrlimit(RLIMIT_AS, &nothing) == 0);
  }
  if (situation == in_thread) {
    pthread_t thread;
    EXPECT(pthread_create(&thread, &attributes, exercise_on_its_stack, NULL) == 0);
    EXPECT(pthread_join(thread, NULL) == 0);
  }
  exercise(situation == in_starved);
  end_child();
}

static void fork_in_handler(int signal_number) {
  (void)signal_number;
  int saved = errno;
  pid_t child = fork();
  EXPECT(child >= 0);
  if (child == 0) {
    is_child = 1;
  } else {
    expect_child_ends_well(child);
    has_forked = 1;
    sem_post(&is_resumed);
  }
  errno = saved;
}

/// Allocates, and waits for the lock that the halted thread may hold; forks if it waits.
static void fork_in_wait(void) {
  // Once resumed, the other thread must run on.
  is_halting = false;
  has_forked = 0;
  struct itimerval once = {{0, 0}, {0, 5000}}, never = {{0, 0}, {0, 0}};
  EXPECT(setitimer(ITIMER_REAL, &once, NULL) == 0);
  exercise(false);
  if (is_child) end_child();
  EXPECT(setitimer(ITIMER_REAL, &never, NULL) == 0);
  if (!has_forked) sem_post(&is_resumed);
}

/// Makes another thread issue a request and halts it first at instruction `first_halt`; returns whether it got that
/// far.
static bool fork_during(const struct request *request, unsigned long first_halt) {
  instruction_count = 0;
  next_halt = first_halt;
  is_done = false;
  is_halting = true;
  // The timer's signal is for this thread.
  sigset_t timer, before;
  sigemptyset(&timer);
  sigaddset(&timer, SIGALRM);
  pthread_t thread;
  EXPECT(pthread_sigmask(SIG_BLOCK, &timer, &before) == 0);
  EXPECT(pthread_create(&thread, &attributes, make_request, (void *)request) == 0);
  EXPECT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
  while (true) {
    EXPECT(sem_wait(&is_halted) == 0);
    if (is_done) break;
    if (situation == in_wait) {
      fork_in_wait();
    } else {
      fork_now();
      sem_post(&is_resumed);
    }
  }
  EXPECT(pthread_join(thread, NULL) == 0);
  return instruction_count >= first_halt;
}

int main(int argc, char **argv) {
  static const char *const names[] = {"fork", "starved", "size", "thread", "wait"};
  EXPECT(argc == 3);
  while (strcmp(argv[1], names[situation]) != 0) EXPECT(++situation <= in_wait);
  step = strtoul(argv[2], NULL, 10);
  EXPECT(step > 0);
  EXPECT(sem_init(&is_halted, 0, 0) == 0 && sem_init(&is_resumed, 0, 0) == 0);
  // A distinct stack size: the halted thread's stack then fits a thread of the child best.
  EXPECT(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 1 << 20) == 0);
  struct sigaction on_step = {.sa_handler = halt}, on_timer = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
  EXPECT(sigaction(SIGTRAP, &on_step, NULL) == 0 && sigaction(SIGALRM, &on_timer, NULL) == 0);
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  EXPECT(pthread_sigmask(SIG_BLOCK, &child_signal, NULL) == 0);
  exercise(false);
  for (unsigned i = 0; i < small_count; i++) {
    EXPECT((small[i] = malloc(size_of_small(i))) != NULL);
    memset(small[i], (int)i + 1, size_of_small(i));
  }
  for (unsigned i = 0; i < mapped_count; i++) {
    EXPECT((mapped[i] = malloc(mapped_size)) != NULL);
    mapped[i][0] = (unsigned char)(i + 1);
  }
  for (unsigned i = 0; i < tombstone_count; i++) free(opaque(malloc(mapped_size)));
  bool has_waited = false;
  for (const struct request *request = requests; request < requests + request_count; request++) {
    if (situation == in_size && (request->size >= mapped_size || request->size_before >= mapped_size)) continue;
    bool goes_on = fork_during(request, step);
    // A thread that resumes after a wait does not halt again: the next run halts later.
    for (unsigned long first = 2 * step; situation == in_wait && goes_on; first += step) {
      has_waited |= has_forked;
      goes_on = fork_during(request, first);
    }
  }
  EXPECT(has_waited || situation != in_wait);
  return 0;
}

#else

int main(void) { return 77; }

#endif
