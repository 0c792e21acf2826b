// A program that defines its own malloc over glibc's second name for it, and uses the ordinary free.
#include <string.h>

#include "expect.h"

extern void *__libc_malloc(size_t);
static size_t call_count;

void *malloc(size_t size) {
  call_count++;
  return __libc_malloc(size);
}

int main(void) {
  for (size_t size = 1; size < 100 << 20; size *= 3) free(opaque(malloc(size)));
  free(opaque(strdup("also libc's blocks come from there")));
  EXPECT(call_count > 16);
  return 0;
}
