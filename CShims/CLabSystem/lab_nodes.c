#define _GNU_SOURCE
#include "lab_nodes.h"

#include "lab_call.h"
#include "lab_proc.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's numbers, which only libnuma's headers have.
enum {
  PREFERRED = 1,
  INTERLEAVE = 3,
  PREFERRED_MANY = 5,
  MEMS_ALLOWED = 1 << 2,
  MOVE = 1 << 1,
  // The kernel reads one bit fewer than it is told.
  BIT_COUNT = LAB_NODES_MAXIMUM + 1,
};

static bool has(const uint64_t *set, unsigned node) {
  return node < LAB_NODES_MAXIMUM && (set[node / 64] >> node % 64 & 1) != 0;
}

int lab_nodes_allowed(uint64_t *set) {
  memset(set, 0, LAB_NODES_WORD_COUNT * sizeof *set);
  return LAB_CALL(syscall(SYS_get_mempolicy, NULL, set, LAB_NODES_MAXIMUM, NULL, MEMS_ALLOWED));
}

int lab_nodes_bind(void *address, uintptr_t byte_count, enum lab_nodes_policy policy, const uint64_t *set, int moves) {
  unsigned flags = moves ? MOVE : 0;
  int mode = PREFERRED;
  switch (policy) {
    case LAB_NODES_PREFER: mode = PREFERRED; break;
    case LAB_NODES_PREFER_MANY: mode = PREFERRED_MANY; break;
    case LAB_NODES_INTERLEAVE: mode = INTERLEAVE; break;
  }
  int code = LAB_CALL(syscall(SYS_mbind, address, byte_count, mode, set, BIT_COUNT, flags));
  // A kernel before 5.15 prefers only one node.
  if (code == EINVAL && mode == PREFERRED_MANY)
    code = LAB_CALL(syscall(SYS_mbind, address, byte_count, PREFERRED, set, BIT_COUNT, flags));
  // With MOVE, some pages may have stayed.
  return moves && code == EIO ? 0 : code;
}

int lab_nodes_processor(void) {
  int saved = errno, processor = sched_getcpu();
  errno = saved;
  return processor;
}

int lab_nodes_current(unsigned *node) { return LAB_CALL(syscall(SYS_getcpu, NULL, node, NULL)); }

/// Calls `body` for each node of a list such as "0-2,5", until it returns false.
static void for_each(const char *list, bool (*body)(unsigned node, void *context), void *context) {
  uint64_t first, last;
  while (lab_proc_number(&list, 10, &first)) {
    last = first;
    if (*list == '-' && (++list, !lab_proc_number(&list, 10, &last))) return;
    for (uint64_t node = first; node <= last && node < LAB_NODES_MAXIMUM; node++)
      if (!body((unsigned)node, context)) return;
    if (*list++ != ',') return;
  }
}

struct search {
  const char *distances;
  const uint64_t *set;
  uint64_t least;
  unsigned *nearest;
};

// A line of distances has one number for each node that is online, in their order.
static bool compare(unsigned node, void *context) {
  struct search *search = context;
  uint64_t distance;
  if (!lab_proc_number(&search->distances, 10, &distance)) return false;
  if (has(search->set, node) && distance < search->least) {
    search->least = distance;
    *search->nearest = node;
  }
  return true;
}

int lab_nodes_nearest(unsigned node, const uint64_t *set, unsigned *nearest) {
  char path[64];
  snprintf(path, sizeof path, "/sys/devices/system/node/node%u/distance", node);
  struct lab_lines online, distances;
  int code = lab_lines_open(&online, "/sys/devices/system/node/online");
  if (code != 0) return code;
  code = lab_lines_open(&distances, path);
  if (code == 0) {
    struct search search = {lab_lines_next(&distances), set, UINT64_MAX, nearest};
    const char *list = lab_lines_next(&online);
    if (list != NULL && search.distances != NULL) for_each(list, compare, &search);
    if (search.least == UINT64_MAX) code = ENODATA;
    lab_lines_close(&distances);
  }
  lab_lines_close(&online);
  return code;
}

int lab_nodes_of_pages(uintptr_t count, void **pages, int *nodes) {
  return LAB_CALL(syscall(SYS_move_pages, 0, count, pages, NULL, nodes, 0));
}

int lab_nodes_move(uintptr_t count, void **pages, const int *nodes) {
  int results[count];
  return LAB_CALL(syscall(SYS_move_pages, 0, count, pages, nodes, results, MOVE));
}
