#define _GNU_SOURCE
#include "lab_bench.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

int lab_memory_file_create(const char *name, int *descriptor) {
  *descriptor = memfd_create(name, MFD_CLOEXEC);
  return *descriptor < 0 ? errno : 0;
}

size_t lab_malloc_usable(void *block) { return malloc_usable_size(block); }

int lab_huge_pages_disable(void) { return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0 ? 0 : errno; }

void lab_malloc_trim(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

int lab_process_read(int process, const struct lab_process_range *ranges, size_t count, void *target) {
  enum { most = 512 };
  char *to = target;
  while (count > 0) {
    struct iovec remote[most];
    size_t batch = count < most ? count : most, byte_count = 0;
    for (size_t i = 0; i < batch; i++) {
      remote[i].iov_base = (void *)(uintptr_t)ranges[i].address;
      remote[i].iov_len = ranges[i].byte_count;
      byte_count += ranges[i].byte_count;
    }
    struct iovec local = {to, byte_count};
    ssize_t read = process_vm_readv(process, &local, 1, remote, batch, 0);
    if (read < 0) return errno;
    if ((size_t)read != byte_count) return EFAULT;
    to += byte_count;
    ranges += batch;
    count -= batch;
  }
  return 0;
}

int lab_process_write(int process, uint64_t address, uint64_t word) {
  struct iovec local = {&word, sizeof word}, remote = {(void *)(uintptr_t)address, sizeof word};
  ssize_t written = process_vm_writev(process, &local, 1, &remote, 1, 0);
  if (written < 0) return errno;
  return written == sizeof word ? 0 : EFAULT;
}

uint64_t lab_clock_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t lab_clock_boot_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
