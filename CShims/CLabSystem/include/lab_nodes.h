// The nodes of the machine's memory, by system calls and /sys. The contract of `lab_system.h` holds.
//
// A set of nodes has `LAB_NODES_WORD_COUNT` words, in which the bit of each node in the set is 1.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// As many nodes as Linux can have.
#define LAB_NODES_MAXIMUM 1024
#define LAB_NODES_WORD_COUNT (LAB_NODES_MAXIMUM / 64)

/// How the nodes of a set serve a range.
enum lab_nodes_policy {
  /// Pages lie on the first of the nodes, or where there is room when it has none.
  LAB_NODES_PREFER,
  /// Pages lie on any of the nodes, or where there is room when they have none.
  LAB_NODES_PREFER_MANY,
  /// Pages lie on the nodes in turn.
  LAB_NODES_INTERLEAVE,
};

/// The nodes on which the process may have memory.
int lab_nodes_allowed(uint64_t *set);

/// Sets where the pages of a range will lie. With `moves` those that the process alone has move there now, as far as there
/// is room.
int lab_nodes_bind(void *address, uintptr_t byte_count, enum lab_nodes_policy policy, const uint64_t *set, int moves);

/// The processor that runs the calling thread; no system call. -1 when the system does not say.
int lab_nodes_processor(void);

/// The node of the processor that runs the calling thread.
int lab_nodes_current(unsigned *node);

/// The nearest node of a set to a node, by the distances in /sys; ENODATA when the system does not say.
int lab_nodes_nearest(unsigned node, const uint64_t *set, unsigned *nearest);

/// The nodes of pages, by the address of each; for a page without memory a negative number.
int lab_nodes_of_pages(uintptr_t count, void **pages, int *nodes);

/// Moves pages, each to the node that `nodes` has for it.
int lab_nodes_move(uintptr_t count, void **pages, const int *nodes);

#ifdef __cplusplus
}
#endif
