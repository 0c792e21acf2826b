#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

#include <lab_platform.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct lab_malloc_space lab_malloc_space;
uintptr_t lab_malloc_empty_heap_words[LAB_MALLOC_EMPTY_HEAP_BYTE_COUNT / sizeof(uintptr_t)];
uintptr_t lab_malloc_state_words[LAB_MALLOC_STATE_BYTE_COUNT / sizeof(uintptr_t)] __attribute__((aligned(64)));
uintptr_t lab_malloc_emergency_words[LAB_MALLOC_EMERGENCY_BYTE_COUNT / sizeof(uintptr_t)]
    __attribute__((aligned(4096)));
LAB_SLOT uintptr_t lab_malloc_heap_slot = (uintptr_t)lab_malloc_empty_heap_words;
LAB_SLOT unsigned lab_malloc_depth_slot;
LAB_SLOT unsigned lab_malloc_age_slot;
LAB_SLOT struct lab_malloc_whereabouts lab_malloc_whereabouts_slot;

_Static_assert(sizeof(pthread_mutex_t) <= LAB_MALLOC_OWNER_BYTE_COUNT, "a mark must hold a mutex");

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TELLS_SANITIZER 1
#endif
#endif

#ifdef TELLS_SANITIZER
// The kernel takes the mark of a thread that ends, and so orders all that the thread did before all that the next owner
// does. ThreadSanitizer does not know that. When a thread ends, it is told so, for the thread's first mark: its heap's.
void __tsan_acquire(void *), __tsan_release(void *);
static pthread_key_t end_key;
static pthread_once_t end_key_once = PTHREAD_ONCE_INIT;
static void make_end_key(void) {
  if (pthread_key_create(&end_key, __tsan_release) != 0) abort();
}
static void note_owned(void *mark) {
  pthread_once(&end_key_once, make_end_key);
  if (pthread_getspecific(end_key) == 0) pthread_setspecific(end_key, mark);
}
static void note_released(void *mark) {
  if (pthread_getspecific(end_key) == mark) pthread_setspecific(end_key, 0);
}
static void note_claimed(void *mark) {
  __tsan_acquire(mark);
  note_owned(mark);
}
#else
static inline void note_owned(void *mark) { (void)mark; }
static inline void note_released(void *mark) { (void)mark; }
static inline void note_claimed(void *mark) { (void)mark; }
#endif

int lab_malloc_owner_init(uintptr_t mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  pthread_mutexattr_t robust;
  pthread_mutexattr_init(&robust);
  pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  int code = pthread_mutex_init(mutex, &robust);
  pthread_mutexattr_destroy(&robust);
  if (code == 0) code = pthread_mutex_lock(mutex);
  if (code == 0) note_owned(mutex);
  return code;
}

int lab_malloc_owner_claim(uintptr_t mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  int code = pthread_mutex_trylock(mutex);
  if (code == EOWNERDEAD) code = pthread_mutex_consistent(mutex);
  if (code == 0) note_claimed(mutex);
  return code;
}

void lab_malloc_owner_release(uintptr_t mark) {
  note_released((void *)mark);
  pthread_mutex_unlock((pthread_mutex_t *)mark);
}

// The kernel finds that thread by the process's number, and knows where libc keeps each thread's robust list. The list
// has the same distance from the thread's slots in every thread.
uintptr_t lab_malloc_survivor(void) {
  long process = getpid();
  if (syscall(SYS_gettid) == process) return lab_platform_thread();
  int saved = errno;
  char *mine = 0, *its = 0;
  size_t length;
  if (syscall(SYS_get_robust_list, 0, &mine, &length) != 0 || syscall(SYS_get_robust_list, process, &its, &length) != 0)
    its = 0;
  errno = saved;
  if (its == 0) return 0;
  return ((uintptr_t)&lab_platform_thread_slot + (uintptr_t)(its - mine)) & LAB_PLATFORM_THREAD_ADDRESS;
}

uintptr_t lab_malloc_process(void) { return (uintptr_t)getpid(); }

/// Blocks the signals from others. Those of the thread's own faults stay deliverable: a sandbox may answer system calls in
/// a handler.
static void block_signals(sigset_t *before) {
  static const int own[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
  sigset_t others;
  sigfillset(&others);
  for (unsigned i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&others, own[i]);
  pthread_sigmask(SIG_SETMASK, &others, before);
}

void lab_malloc_without_signals(void (*body)(void)) {
  sigset_t before;
  block_signals(&before);
  body();
  pthread_sigmask(SIG_SETMASK, &before, 0);
}

void lab_malloc_pause(unsigned count) {
  if (count < 32) {
    sched_yield();
    return;
  }
  // 20 microseconds at first, at most 0.6 milliseconds. libc's function would be a cancellation point, where malloc
  // must not end.
  unsigned doublings = count - 32 < 5 ? count - 32 : 5;
  struct timespec pause = {0, 20000l << doublings};
  int saved = errno;
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, 0);
  errno = saved;
}

uintptr_t lab_malloc_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (uintptr_t)now.tv_sec * 1000 + (uintptr_t)now.tv_nsec / 1000000;
}

/// The process in which libc is set up and can start threads; 0 before.
static pid_t process_with_threads;

__attribute__((constructor)) static void note_start(void) { process_with_threads = getpid(); }

void lab_malloc_note_process(void) {
  if (process_with_threads != 0) process_with_threads = getpid();
}

/// Whether this is a thread that `lab_malloc_start_thread` started. At its end libc frees what it had.
static _Thread_local int is_started_thread __attribute__((tls_model("initial-exec")));

int lab_malloc_may_start_thread(void) {
  if (is_started_thread) return 0;
  // A child of vfork runs in its parent's memory: a thread would end with the child, whatever it holds.
  if (process_with_threads != getpid()) return 0;
  int saved = errno, may = 1;
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, 0, &blocked);
  for (int number = 1; number <= SIGRTMAX && may; number++) {
    struct sigaction action;
    if (sigismember(&blocked, number) == 1 && sigaction(number, 0, &action) == 0)
      may = action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN;
  }
  errno = saved;
  return may;
}

static void *run_body(void *body) {
  is_started_thread = 1;
  prctl(PR_SET_NAME, "heaplab");
  ((void (*)(void))body)();
  return 0;
}

int lab_malloc_start_thread(void (*body)(void)) {
  int saved = errno;
  sigset_t before;
  block_signals(&before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // Enough for the heap, which has no deep calls, and for the thread-local objects of most programs.
  size_t usual;
  pthread_attr_getstacksize(&attributes, &usual);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread;
  int code = pthread_create(&thread, &attributes, run_body, (void *)body);
  if (code == EINVAL && pthread_attr_setstacksize(&attributes, usual) == 0)
    code = pthread_create(&thread, &attributes, run_body, (void *)body);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, 0);
  errno = saved;
  return code;
}

void lab_malloc_sleep(uintptr_t milliseconds) {
  struct timespec pause = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, 0);
}

#endif
