#define _GNU_SOURCE
#include "lab_bench.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>

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
