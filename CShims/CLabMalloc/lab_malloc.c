#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

#include <lab_platform.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
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

_Static_assert(sizeof(pthread_mutex_t) <= LAB_MALLOC_OWNER_BYTE_COUNT, "a mark must hold a mutex");

int lab_malloc_owner_init(uintptr_t mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  pthread_mutexattr_t robust;
  pthread_mutexattr_init(&robust);
  pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  int code = pthread_mutex_init(mutex, &robust);
  pthread_mutexattr_destroy(&robust);
  return code != 0 ? code : pthread_mutex_lock(mutex);
}

int lab_malloc_owner_claim(uintptr_t mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  int code = pthread_mutex_trylock(mutex);
  return code == EOWNERDEAD ? pthread_mutex_consistent(mutex) : code;
}

void lab_malloc_owner_release(uintptr_t mark) { pthread_mutex_unlock((pthread_mutex_t *)mark); }

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

void lab_malloc_without_signals(void (*body)(void)) {
  // Signals of the thread's own faults stay deliverable: a sandbox may answer system calls in a handler.
  static const int own[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
  sigset_t others, before;
  sigfillset(&others);
  for (unsigned i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&others, own[i]);
  pthread_sigmask(SIG_SETMASK, &others, &before);
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

#endif
