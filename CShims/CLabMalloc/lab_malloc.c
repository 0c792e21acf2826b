#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

#include <errno.h>
#include <pthread.h>
#include <time.h>

struct lab_malloc_space lab_malloc_space;
unsigned long lab_malloc_empty_heap[512];
unsigned long lab_malloc_state_words[128] __attribute__((aligned(64)));
unsigned long lab_malloc_emergency_words[LAB_MALLOC_EMERGENCY_BYTE_COUNT / 8] __attribute__((aligned(4096)));
_Thread_local unsigned long lab_malloc_heap_slot = (unsigned long)lab_malloc_empty_heap;
_Thread_local unsigned int lab_malloc_depth_slot;
_Thread_local unsigned int lab_malloc_age_slot;

_Static_assert(sizeof(pthread_mutex_t) <= 64, "the mark is 64 bytes");

int lab_malloc_owner_init(unsigned long mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  pthread_mutexattr_t robust;
  pthread_mutexattr_init(&robust);
  pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  int code = pthread_mutex_init(mutex, &robust);
  pthread_mutexattr_destroy(&robust);
  return code != 0 ? code : pthread_mutex_lock(mutex);
}

int lab_malloc_owner_claim(unsigned long mark) {
  pthread_mutex_t *mutex = (pthread_mutex_t *)mark;
  int code = pthread_mutex_trylock(mutex);
  return code == EOWNERDEAD ? pthread_mutex_consistent(mutex) : code;
}

void lab_malloc_owner_release(unsigned long mark) { pthread_mutex_unlock((pthread_mutex_t *)mark); }

unsigned long lab_malloc_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

#endif
