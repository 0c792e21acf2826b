// Reads the family's figures at every instruction of operations that change them: the processor single-steps, and a
// signal handler reads them. Status 77 where it cannot.
#define _GNU_SOURCE
#include <malloc.h>
#include <signal.h>
#include <stdint.h>

#include "expect.h"
#include "steps.h"

#if defined(__x86_64__)

static size_t asked_count;

static void ask(int signal) {
  (void)signal;
  asked_count++;
  struct mallinfo2 info = mallinfo2();
  EXPECT(info.uordblks <= SIZE_MAX / 2 && info.hblkhd <= SIZE_MAX / 2 && info.fordblks <= info.arena);
}

int main(void) {
  EXPECT(signal(SIGTRAP, ask) != SIG_ERR);
  static const size_t sizes[] = {48, 1500, 9000, 30000, 100000, 64 << 20};
  static const size_t counts[] = {300, 100, 24, 12, 3, 1};
  void *blocks[300];
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    // First more than a thread keeps in its cache, then everything is given back.
    for (size_t j = 0; j < counts[i]; j++) EXPECT((blocks[j] = opaque(malloc(sizes[i]))) != NULL);
    for (size_t j = 1; j < counts[i]; j++) free(blocks[j]);
    BEGIN_STEPS();
    free(blocks[0]);
    malloc_trim(0);
    void *block = opaque(malloc(sizes[i]));
    END_STEPS();
    free(block);
  }
  EXPECT(asked_count > 1000);
  return 0;
}

#else

int main(void) { return 77; }

#endif
