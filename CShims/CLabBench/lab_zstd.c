#include <dlfcn.h>
#include <pthread.h>

#include "lab_bench.h"

// Loaded and not linked: heapbench then builds without zstd's headers and starts without the library. The functions
// belong to zstd's stable interface (zstd.h, "Simple API").
static struct {
  size_t (*bound)(size_t);
  size_t (*compress)(void *, size_t, const void *, size_t, int);
  size_t (*decompress)(void *, size_t, const void *, size_t);
  unsigned (*is_error)(size_t);
} zstd;

static void load(void) {
  void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  *(void **)&zstd.bound = dlsym(library, "ZSTD_compressBound");
  *(void **)&zstd.compress = dlsym(library, "ZSTD_compress");
  *(void **)&zstd.decompress = dlsym(library, "ZSTD_decompress");
  *(void **)&zstd.is_error = dlsym(library, "ZSTD_isError");
}

int lab_zstd_is_there(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return zstd.bound && zstd.compress && zstd.decompress && zstd.is_error;
}

size_t lab_zstd_bound(size_t byte_count) { return zstd.bound(byte_count); }

size_t lab_zstd_compress(void *target, size_t capacity, const void *source, size_t byte_count, int level) {
  size_t length = zstd.compress(target, capacity, source, byte_count, level);
  return zstd.is_error(length) ? 0 : length;
}

size_t lab_zstd_decompress(void *target, size_t capacity, const void *source, size_t byte_count) {
  size_t length = zstd.decompress(target, capacity, source, byte_count);
  return zstd.is_error(length) ? SIZE_MAX : length;
}
