#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/// The thread's number, 0 before its first sample.
static LAB_SLOT uintptr_t thread_number;

uintptr_t lab_sample_seed(void) {
  static uintptr_t count;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uintptr_t seed = 0;
  int saved = errno;
  // 1 is GRND_NONBLOCK. Early in a system's life there are no random bytes yet.
  if (syscall(SYS_getrandom, &seed, sizeof seed, 1) != sizeof seed) seed = 0;
  errno = saved;
  uintptr_t number = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
  return seed ^ (uintptr_t)now.tv_nsec ^ (uintptr_t)&now ^ number << 32;
}

void lab_sample_forget_thread(void) { thread_number = 0; }

#if defined(__x86_64__)

#define PAGE 4096ul

/// What this thread knows of its stack: all bytes from `stack_low` up to `stack_high` can be read.
static LAB_SLOT uintptr_t stack_low, stack_high;

/// The end of the first thread's stack, which the loader notes; not every libc has it.
extern void *__libc_stack_end __attribute__((weak));

/// How far above the stack pointer the end of a thread's stack is looked for: 1,024 pages, which one call can ask for.
#define SEARCHED_PAGE_MAXIMUM 1024

/// Whether every page from `low` up to `high` can be read. The kernel tells, and a page that cannot be read does no harm.
static int can_read(uintptr_t low, uintptr_t high) {
  struct iovec from[SEARCHED_PAGE_MAXIMUM / 16], to;
  char bytes[SEARCHED_PAGE_MAXIMUM / 16];
  for (uintptr_t page = low & -PAGE; page < high;) {
    unsigned long count = 0;
    for (; count < sizeof bytes && page < high; count++, page += PAGE)
      from[count] = (struct iovec){(void *)page, 1};
    to = (struct iovec){bytes, count};
    if (syscall(SYS_process_vm_readv, getpid(), &to, 1ul, from, count, 0ul) != (long)count) return 0;
  }
  return 1;
}

/// Learns where the stack around `place` ends. libc keeps a thread's control block above its stack, in one mapping; the
/// first thread's stack ends where the loader found it. On any other stack, for example a coroutine's, nothing is
/// learned: what lies between has a page that cannot be read, or is too large.
static int learn_stack(uintptr_t place) {
  uintptr_t first_end = &__libc_stack_end ? (uintptr_t)__libc_stack_end : 0;
  uintptr_t ends[2] = {(uintptr_t)__builtin_thread_pointer(), first_end};
  for (int i = 0; i < 2; i++) {
    if (ends[i] <= place || ends[i] - place > SEARCHED_PAGE_MAXIMUM * PAGE) continue;
    if (!can_read(place, ends[i])) continue;
    stack_low = place;
    stack_high = ends[i];
    return 1;
  }
  return 0;
}

/// How many bytes from `place` on can be copied without a question to the kernel.
static uintptr_t readable(uintptr_t place) {
  if (place - stack_low < stack_high - stack_low || learn_stack(place)) return stack_high - place;
  return PAGE - place % PAGE;
}

__attribute__((noinline)) void lab_sample_copy_stack(uintptr_t words, uintptr_t stack, uintptr_t byte_count) {
  uintptr_t *frame = __builtin_frame_address(0);
  uintptr_t place = (uintptr_t)(frame + 2), *to = (uintptr_t *)words;
  int saved = errno;
  if (thread_number == 0) thread_number = (uintptr_t)syscall(SYS_gettid);
  uintptr_t count = readable(place);
  if (count > byte_count) count = byte_count;
  memcpy((void *)stack, (void *)place, count);
  to[0] = frame[1];
  to[1] = place;
  to[2] = frame[0];
  to[3] = count;
  to[4] = thread_number;
  errno = saved;
}

#else

void lab_sample_copy_stack(uintptr_t words, uintptr_t stack, uintptr_t byte_count) {
  (void)stack, (void)byte_count;
  uintptr_t *to = (uintptr_t *)words;
  int saved = errno;
  if (thread_number == 0) thread_number = (uintptr_t)syscall(SYS_gettid);
  to[0] = to[1] = to[2] = to[3] = 0;
  to[4] = thread_number;
  errno = saved;
}

#endif

#endif
