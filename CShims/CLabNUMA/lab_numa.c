#define _GNU_SOURCE
#include "lab_numa.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Evaluates `call`, which may set `errno`, and restores `errno`.
#define LAB_KEEPING_ERRNO(call) \
  ({                            \
    int saved = errno;          \
    int code = (call);          \
    errno = saved;              \
    code;                       \
  })

static int available(void) { return LAB_KEEPING_ERRNO(numa_available()) < 0 ? ENOSYS : 0; }

int lab_numa_nodes(uint64_t nodes[LAB_NUMA_WORDS]) {
  if (available() != 0) return ENOSYS;
  for (unsigned word = 0; word < LAB_NUMA_WORDS; word++) nodes[word] = 0;
  for (unsigned node = 0; node < LAB_NUMA_NODES; node++)
    if (node < numa_all_nodes_ptr->size && numa_bitmask_isbitset(numa_all_nodes_ptr, node))
      nodes[node / 64] |= UINT64_C(1) << (node % 64);
  return 0;
}

int lab_numa_memory(unsigned node, uint64_t *total_byte_count, uint64_t *free_byte_count) {
  if (available() != 0) {
    // The single node has all memory.
    if (node != 0) return ENOENT;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    *total_byte_count = (uint64_t)sysconf(_SC_PHYS_PAGES) * page;
    *free_byte_count = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * page;
    return 0;
  }
  int saved = errno;
  long long unused = 0, total = numa_node_size64((int)node, &unused);
  errno = saved;
  if (total < 0) return ENOENT;
  *total_byte_count = (uint64_t)total;
  *free_byte_count = unused < 0 ? 0 : (uint64_t)unused;
  return 0;
}

int lab_numa_distance(unsigned from, unsigned to, unsigned *distance) {
  if (available() != 0) return ENOSYS;
  int found = LAB_KEEPING_ERRNO(numa_distance((int)from, (int)to));
  if (found <= 0) return ENOENT;
  *distance = (unsigned)found;
  return 0;
}

unsigned lab_numa_cpu_count(void) {
  long count = available() == 0 ? numa_num_possible_cpus() : sysconf(_SC_NPROCESSORS_CONF);
  return count < 1 ? 1 : (unsigned)count;
}

int lab_numa_cpu_node(unsigned cpu, unsigned *node) {
  if (available() != 0) return ENOSYS;
  int found = LAB_KEEPING_ERRNO(numa_node_of_cpu((int)cpu));
  if (found < 0) return ENOENT;
  *node = (unsigned)found;
  return 0;
}

int lab_numa_current_node(unsigned *node) {
  unsigned cpu, found;
  int saved = errno;
  int code = syscall(SYS_getcpu, &cpu, &found, NULL) < 0 ? errno : 0;
  errno = saved;
  if (code == 0) *node = found;
  return code;
}

int lab_numa_run_on(unsigned node) {
  if (available() != 0) return node == 0 ? 0 : ENOENT;
  int saved = errno;
  int code = numa_run_on_node((int)node) < 0 ? errno : 0;
  errno = saved;
  return code;
}

int lab_numa_place(
    void *address, uintptr_t byte_count, enum lab_numa_policy policy, const uint64_t nodes[LAB_NUMA_WORDS]) {
  int mode = MPOL_DEFAULT;
  unsigned flags = 0;
  switch (policy) {
    case LAB_NUMA_UNPLACED: mode = MPOL_DEFAULT; break;
    case LAB_NUMA_BOUND: mode = MPOL_BIND, flags = MPOL_MF_MOVE | MPOL_MF_STRICT; break;
    case LAB_NUMA_PREFERRED: mode = MPOL_PREFERRED, flags = MPOL_MF_MOVE; break;
    case LAB_NUMA_INTERLEAVED: mode = MPOL_INTERLEAVE, flags = MPOL_MF_MOVE; break;
  }
  // `unsigned long` has 64 bits on every system with several nodes that libnuma supports.
  unsigned long words[LAB_NUMA_NODES / (8 * sizeof(unsigned long))] = {0};
  for (unsigned node = 0; node < LAB_NUMA_NODES; node++)
    if (nodes[node / 64] >> (node % 64) & 1)
      words[node / (8 * sizeof *words)] |= 1ul << (node % (8 * sizeof *words));
  // The kernel expects the number of bits plus one, and no set for the default policy.
  int saved = errno;
  long result = policy == LAB_NUMA_UNPLACED ? mbind(address, byte_count, mode, NULL, 0, flags)
                                            : mbind(address, byte_count, mode, words, LAB_NUMA_NODES + 1, flags);
  int code = result < 0 ? errno : 0;
  errno = saved;
  return code;
}

/// Queries the nodes of up to 512 pages; a negative status is an errno.
static int page_nodes(uintptr_t address, unsigned long count, uintptr_t page_byte_count, int *statuses) {
  void *pages[512];
  for (unsigned long index = 0; index < count; index++) pages[index] = (void *)(address + index * page_byte_count);
  int saved = errno;
  int code = move_pages(0, count, pages, NULL, statuses, 0) < 0 ? errno : 0;
  errno = saved;
  return code;
}

int lab_numa_page_node(void *address, unsigned *node) {
  int status = 0;
  int code = page_nodes((uintptr_t)address, 1, 0, &status);
  if (code != 0) return code;
  if (status < 0) return -status;
  *node = (unsigned)status;
  return 0;
}

int lab_numa_page_count(
    void *address, uintptr_t byte_count, uintptr_t page_byte_count, unsigned node, uintptr_t *count) {
  int statuses[512];
  uintptr_t found = 0, page_count = byte_count / page_byte_count;
  for (uintptr_t first = 0; first < page_count; first += 512) {
    uintptr_t step = page_count - first < 512 ? page_count - first : 512;
    int code = page_nodes((uintptr_t)address + first * page_byte_count, step, page_byte_count, statuses);
    if (code != 0) return code;
    for (uintptr_t index = 0; index < step; index++) found += statuses[index] == (int)node;
  }
  *count = found;
  return 0;
}
