#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "heaplab"

struct heaplab_telemetry heaplab_telemetry_v1;

uintptr_t lab_telemetry_table(void) { return (uintptr_t)&heaplab_telemetry_v1; }

/// How many words the table has so far.
static uint32_t word_count;

int lab_telemetry_add(const char *name, uintptr_t length, uintptr_t value) {
  struct heaplab_telemetry_word *word = &heaplab_telemetry_v1.words[word_count];
  if (word_count >= HEAPLAB_TELEMETRY_WORD_MAXIMUM || length >= sizeof word->name) return ENOSPC;
  memcpy(word->name, name, length);
  word->value = value;
  word_count++;
  return 0;
}

void lab_telemetry_publish(void) {
  memcpy(heaplab_telemetry_v1.magic, MAGIC, sizeof MAGIC);
  heaplab_telemetry_v1.version = HEAPLAB_TELEMETRY_VERSION;
  // Release pairs with a reader's system call: who sees the count sees the words.
  __atomic_store_n(&heaplab_telemetry_v1.word_count, word_count, __ATOMIC_RELEASE);
}

// ---- The page in /dev/shm ----

static struct heaplab_telemetry_page *page;

static uint64_t boot_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void name_of_page(char *name, size_t byte_count) { snprintf(name, byte_count, "/dev/shm/heaplab-%d", getpid()); }

// System calls rather than libc's functions, which are cancellation points.
void lab_telemetry_page_open(void) {
  int saved = errno;
  char name[64];
  name_of_page(name, sizeof name);
  // What a killed process with this number left, or this process before it called exec.
  syscall(SYS_unlinkat, AT_FDCWD, name, 0);
  int file = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
  struct heaplab_telemetry_page *made = MAP_FAILED;
  // The process's mask may have taken the others' right to read.
  if (file >= 0) fchmod(file, 0444);
  if (file >= 0 && ftruncate(file, sizeof *made) == 0)
    made = mmap(0, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file >= 0) syscall(SYS_close, file);
  if (made != MAP_FAILED) {
    made->version = HEAPLAB_TELEMETRY_VERSION;
    made->process = (uint64_t)getpid();
    made->made = boot_milliseconds();
    memcpy(made->magic, MAGIC, sizeof MAGIC);
    page = made;
  }
  errno = saved;
}

void lab_telemetry_page_forget(void) {
  int saved = errno;
  if (page != 0) munmap(page, sizeof *page);
  page = 0;
  errno = saved;
}

void lab_telemetry_page_remove(void) {
  // A child of fork that never allocated ends with its parent's page.
  if (page == 0 || page->process != (uint64_t)getpid()) return;
  char name[64];
  name_of_page(name, sizeof name);
  syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

int lab_telemetry_page_is_due(void) {
  struct heaplab_telemetry_page *now = page;
  if (now == 0) return 0;
  uint64_t time = boot_milliseconds(), last = __atomic_load_n(&now->updated, __ATOMIC_RELAXED);
  return time - last >= 1000
      && __atomic_compare_exchange_n(&now->updated, &last, time, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void lab_telemetry_page_write(const struct heaplab_telemetry_page *figures) {
  struct heaplab_telemetry_page *to = page;
  if (to == 0) return;
  uint32_t sequence = __atomic_load_n(&to->sequence, __ATOMIC_RELAXED);
  // Another thread writes: its figures are as good. Acquire pairs with the release below, by the last writer, and keeps
  // the figures behind the odd number.
  if (sequence % 2 != 0
      || !__atomic_compare_exchange_n(&to->sequence, &sequence, sequence + 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  size_t first = offsetof(struct heaplab_telemetry_page, committed);
  memcpy((char *)to + first, (const char *)figures + first, sizeof *to - first);
  // Release pairs with the acquire above, and with a reader's system call: who sees the even number sees the figures.
  __atomic_store_n(&to->sequence, sequence + 2, __ATOMIC_RELEASE);
}

#endif
