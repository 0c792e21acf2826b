// Where the pages of blocks lie (HEAPLAB_NODE), by move_pages(2), and not by what was asked for. Needs a machine with nodes
// for most situations; scripts/test-numa has one.
//
//   nodes on NODE...     all pages of a thread's blocks lie on one of the nodes
//   nodes interleave COUNT   each of COUNT nodes has its share
//   nodes local          a thread on each node allocates, frees what others allocated, and allocates again; 99 % of its
//                        pages lie on its node each time
//   nodes migrate        a thread that moves has its new blocks on its new node
//   nodes any            malloc works
//
// `--pinned` in front: the pages were there before the first block.
#define _GNU_SOURCE
#include "expect.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <malloc.h>

enum { NODES = 64, BLOCKS = 1500, ROUNDS = 3, PAGE = 4096 };

static const size_t sizes[] = {48, 500, 3000, 9000, 30000, 70000};

struct set {
  char *blocks[BLOCKS];
  size_t size[BLOCKS];
};

static void fill(struct set *set) {
  for (int i = 0; i < BLOCKS; i++) {
    set->size[i] = sizes[i % (sizeof sizes / sizeof *sizes)];
    set->blocks[i] = malloc(set->size[i]);
    EXPECT(set->blocks[i] != NULL);
    memset(set->blocks[i], 1, set->size[i]);
  }
}

static void empty(struct set *set) {
  for (int i = 0; i < BLOCKS; i++) free(set->blocks[i]);
}

/// Counts the nodes of the pages of all blocks.
static long count_pages(const struct set *set, long *counts) {
  long sum = 0;
  memset(counts, 0, NODES * sizeof *counts);
  for (int i = 0; i < BLOCKS; i++) {
    uintptr_t first = (uintptr_t)set->blocks[i] & -(uintptr_t)PAGE, end = (uintptr_t)set->blocks[i] + set->size[i];
    void *pages[32];
    int nodes[32];
    unsigned long count = 0;
    for (uintptr_t page = first; page < end && count < 32; page += PAGE) pages[count++] = (void *)page;
    EXPECT(syscall(SYS_move_pages, 0, count, pages, NULL, nodes, 0) == 0);
    for (unsigned long k = 0; k < count; k++) {
      EXPECT(nodes[k] >= 0 && nodes[k] < NODES);
      counts[nodes[k]]++;
      sum++;
    }
  }
  return sum;
}

static int is_on(const struct set *set, unsigned node, const char *when) {
  long counts[NODES];
  long sum = count_pages(set, counts);
  printf("node %u, %s: %ld of %ld pages are local\n", node, when, counts[node], sum);
  fflush(stdout);
  return counts[node] * 100 >= sum * 99;
}

static unsigned go_to(unsigned processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  EXPECT(sched_setaffinity(0, sizeof set, &set) == 0);
  unsigned node;
  EXPECT(syscall(SYS_getcpu, NULL, &node, NULL) == 0);
  return node;
}

static unsigned processor_count(void) {
  cpu_set_t set;
  EXPECT(sched_getaffinity(0, sizeof set, &set) == 0);
  return (unsigned)CPU_COUNT(&set);
}

/// What the kernel says about the large mappings, for whoever looks for a page on the wrong node.
static void show_maps(void) {
  char line[1024];
  FILE *maps = fopen("/proc/self/numa_maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    char *pages = strstr(line, "anon=");
    if (pages != NULL && strtol(pages + 5, NULL, 10) > 100) printf("numa_maps: %s", line);
  }
  if (maps != NULL) fclose(maps);
  fflush(stdout);
}

static pthread_barrier_t barrier;
static struct set all_sets[NODES];
static int failure_count;

static void *work(void *argument) {
  unsigned mine = (unsigned)(uintptr_t)argument, count = processor_count();
  unsigned node = go_to(mine);
  for (int round = 0; round < ROUNDS; round++) {
    fill(&all_sets[mine]);
    if (!is_on(&all_sets[mine], node, round == 0 ? "first" : "again")) __atomic_add_fetch(&failure_count, 1, __ATOMIC_RELAXED);
    pthread_barrier_wait(&barrier);
    // Another thread's blocks: they go home, and not into this thread's next ones.
    empty(&all_sets[(mine + 1 + (unsigned)round) % count]);
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

static int local(void) {
  unsigned count = processor_count();
  pthread_t threads[NODES];
  pthread_barrier_init(&barrier, NULL, count);
  // Twice: the second threads take over the heaps of the first ones, in another order.
  for (int turn = 0; turn < 2; turn++) {
    for (unsigned i = 0; i < count; i++)
      EXPECT(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)(turn == 0 ? i : count - 1 - i)) == 0);
    for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
  }
  if (failure_count != 0) show_maps();
  return failure_count != 0;
}

static int migrate(void) {
  static struct set before, after;
  int failures = 0;
  unsigned count = processor_count();
  for (unsigned processor = 0; processor < count; processor++) {
    unsigned node = go_to(processor);
    // It takes some slow paths to notice.
    fill(&before);
    fill(&after);
    failures += !is_on(&after, node, "after a move");
    empty(&before);
    empty(&after);
    fill(&after);
    failures += !is_on(&after, node, "after frees");
    empty(&after);
  }
  if (failures != 0) show_maps();
  return failures != 0;
}

int main(int count, char **arguments) {
  EXPECT(count >= 2);
  static struct set set;
  struct rusage before, after;
  int is_pinned = strcmp(arguments[1], "--pinned") == 0;
  char **rest = arguments + 1 + is_pinned;
  free(opaque(malloc(100000)));
  getrusage(RUSAGE_SELF, &before);
  if (strcmp(*rest, "local") == 0) return local();
  if (strcmp(*rest, "migrate") == 0) return migrate();
  fill(&set);
  getrusage(RUSAGE_SELF, &after);
  // The program's own pages and libc's code may fault, not the 28 MiB of blocks.
  if (is_pinned) EXPECT(after.ru_minflt - before.ru_minflt < 200);
  long counts[NODES];
  if (strcmp(*rest, "any") != 0) {
    long sum = count_pages(&set, counts), found = 0;
    if (strcmp(*rest, "on") == 0) {
      for (char **node = rest + 1; *node != NULL; node++) found += counts[atoi(*node)];
      printf("%ld of %ld pages are on the nodes\n", found, sum);
      EXPECT(found * 100 >= sum * 99);
    } else {
      EXPECT(strcmp(*rest, "interleave") == 0 && count >= 3);
      int nodes = atoi(rest[1]);
      for (int node = 0; node < nodes; node++) {
        printf("%ld of %ld pages are on node %d\n", counts[node], sum, node);
        EXPECT(counts[node] * nodes * 2 >= sum);
      }
    }
  }
  empty(&set);
  fill(&set);
  empty(&set);
  return 0;
}
