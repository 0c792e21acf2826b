// A signal handler that allocates and frees in the middle of the allocator's slow paths. The processor's trap flag
// steps through an operation, and at the n-th instruction inside the library, for many n, the handler runs.
//
//   interrupts OPERATION COUNT   at COUNT of its instructions; the operations are in the table below
//
// Ends with status 77 where there is no trap flag.
//
// POSIX lets no handler allocate. A handler that interrupts the few instructions of a fast path may still get a block
// twice, as with any allocator with lists but no locks. The slow paths, which take thousands of instructions, are safe.
#define _GNU_SOURCE
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "expect.h"
#include "steps.h"

#if defined(__x86_64__)

enum { held_count = 600 };

/// A block whose bytes are all `stamp`.
struct held {
  unsigned char *block;
  size_t size;
  unsigned char stamp;
};
static struct held held[held_count], handlers[4], victims[4];
static unsigned char last_stamp;

static void hold(struct held *slot, void *block, size_t size) {
  EXPECT(block != NULL);
  *slot = (struct held){block, size, ++last_stamp};
  memset(block, slot->stamp, size);
}

static void check(const struct held *slot) {
  for (size_t i = 0; i < slot->size; i++) EXPECT(slot->block[i] == slot->stamp);
}

static void let_go(struct held *slot) {
  check(slot);
  free(slot->block);
  *slot = (struct held){0};
}

static size_t size_of(size_t i) {
  static const size_t sizes[] = {16, 64, 64, 100, 500, 1500, 9000, 40000};
  return sizes[i % (sizeof sizes / sizeof *sizes)] + i % 7;
}

// ---- The handler ----

static void disturb(void) {
  hold(&handlers[0], opaque(malloc(64)), 64);
  hold(&handlers[1], opaque(calloc(1, 5000)), 5000);
  hold(&handlers[2], opaque(malloc(100000)), 100000);
  check(&victims[0]);
  unsigned char *moved = opaque(realloc(victims[0].block, 3000));
  EXPECT(moved != NULL && moved[0] == victims[0].stamp && moved[victims[0].size - 1] == victims[0].stamp);
  hold(&victims[0], moved, 3000);
  let_go(&victims[1]);
  let_go(&victims[2]);
  let_go(&handlers[1]);
}

static unsigned long first_address, last_address;
static long instruction_count, disturbed_at;

static void step(int signal_number, siginfo_t *info, void *context) {
  (void)signal_number, (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  unsigned long address = (unsigned long)registers[REG_RIP];
  if (address < first_address || address >= last_address || ++instruction_count != disturbed_at) return;
  registers[REG_EFL] &= ~TRAP_FLAG;
  disturb();
}

static int find_library(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size, (void)unused;
  if (!strstr(info->dlpi_name, "libheaplab")) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD || !(header->p_flags & PF_X)) continue;
    first_address = info->dlpi_addr + header->p_vaddr;
    last_address = first_address + header->p_memsz;
  }
  return 1;
}

// ---- The interrupted operations ----
//
// None is served by a fast path: no size had a block freed before. Each instruction takes a microsecond, so they write
// little.

static struct held result;

static void grow(void) { hold(&result, opaque(malloc(6000000)), 64); }
static void new_class(void) { hold(&result, opaque(malloc(23000)), 23000); }
static void free_large(void) { free(opaque(malloc(7000000))); }
static void resize(void) {
  hold(&result, opaque(malloc(250000)), 64);
  unsigned char *moved = opaque(realloc(result.block, 3000000));
  EXPECT(moved != NULL);
  result.block = moved;
}
static void trim(void) { malloc_trim(0); }
static void map_and_resize(void) {
  void *block = opaque(malloc(40 << 20));
  hold(&result, opaque(realloc(block, 50 << 20)), 64);
}

static const struct operation {
  const char *name;
  void (*run)(void);
} operations[] = {{"grow", grow}, {"new_class", new_class}, {"free_large", free_large}, {"resize", resize},
                  {"trim", trim}, {"map_and_resize", map_and_resize}};

/// Runs the operation with the handler at instruction `at`; returns how many instructions it had.
static long run(const struct operation *operation, long at) {
  struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
  EXPECT(sigaction(SIGTRAP, &action, NULL) == 0);
  for (size_t i = 0; i < held_count; i++) hold(&held[i], opaque(malloc(size_of(i))), size_of(i));
  static const size_t victim_sizes[] = {200, 64, 50000, 1000};
  for (size_t i = 0; i < 4; i++) hold(&victims[i], opaque(malloc(victim_sizes[i])), victim_sizes[i]);
  for (size_t i = 0; i < held_count; i += 2) let_go(&held[i]);
  disturbed_at = at;
  BEGIN_STEPS();
  operation->run();
  END_STEPS();
  // Writing to all blocks exposes one handed out twice.
  for (size_t i = 0; i < held_count; i += 2) hold(&held[i], opaque(malloc(size_of(i + 3))), size_of(i + 3));
  for (size_t i = 0; i < held_count; i++) let_go(&held[i]);
  for (size_t i = 0; i < 4; i++) {
    let_go(&handlers[i]);
    let_go(&victims[i]);
  }
  let_go(&result);
  malloc_trim(0);
  return instruction_count;
}

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  EXPECT(dl_iterate_phdr(find_library, NULL) == 1);
  const struct operation *operation = NULL;
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    if (strcmp(operations[i].name, argv[1]) == 0) operation = &operations[i];
  EXPECT(operation != NULL);
  int counts[2];
  EXPECT(pipe(counts) == 0);
  if (fork() == 0) {
    long count = run(operation, -1);
    EXPECT(write(counts[1], &count, sizeof count) == sizeof count);
    _exit(0);
  }
  long count;
  EXPECT(wait(NULL) > 0 && read(counts[0], &count, sizeof count) == sizeof count && count > 100);
  long stride = count / atol(argv[2]) + 1;
  for (long at = 1; at <= count; at += stride) {
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
      run(operation, at);
      _exit(0);
    }
    int status;
    EXPECT(waitpid(child, &status, 0) == child);
    if (status == 0) continue;
    dprintf(STDERR_FILENO, "%s, interrupted at instruction %ld of %ld: status %#x\n", argv[1], at, count, status);
    return 1;
  }
  dprintf(STDOUT_FILENO, "%s: %ld instructions\n", argv[1], count);
  return 0;
}

#else
int main(void) { return 77; }
#endif
