// The functions of libheaplab.so besides malloc: its statistics, its quota, and heaps over the caller's own memory.
//
//   cc program.c $(pkg-config --cflags --libs heaplab)
//
// The header is C11 and C++17, and needs nothing included before it. Sizes and counts of bytes are in bytes. Any thread
// may call any function at any time, unless the function says otherwise. A function that fails sets `errno`, as malloc
// does; one that does not mention an error cannot fail. A program that only preloads the library finds the functions by
// dlsym(RTLD_DEFAULT, "heaplab_version").
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The version of this header.
#define HEAPLAB_VERSION "0.2.0"

/// The version of the library as text, such as "0.2.0"; it may differ from `HEAPLAB_VERSION`. The text is constant.
const char *heaplab_version(void);

/// The policy that serves malloc: "general", "firstfit" or "buddy" (`HEAPLAB_POLICY`). The text is constant.
const char *heaplab_policy(void);

// ---- The heap of the process: the heap behind malloc ----

/// How much the heap holds. Other threads go on during the count, and the figures do not belong to one instant.
struct heaplab_statistics {
  /// Bytes that the heap can write to without asking the system, in use or not; without the mappings in use.
  size_t committed_byte_count;
  /// Bytes of the blocks in use, mappings included.
  size_t live_byte_count;
  /// Committed bytes that are in no block in use.
  size_t free_byte_count;
  /// Bytes and number of the blocks that are mappings of their own.
  size_t mapped_byte_count;
  size_t mapped_count;
  /// How many thread heaps there are, those of ended threads and the one that young threads share included.
  size_t heap_count;
  /// How many granules of 64 KiB are spans, that is, carved into blocks of one size.
  size_t span_count;
  /// Bytes of the ranges in which first fit places blocks too large for spans.
  size_t arena_byte_count;
  /// Bytes of the heap's memory that are locked, tables included (`HEAPLAB_PIN`).
  size_t pinned_byte_count;
  /// Bytes of it on explicit huge pages (`HEAPLAB_HUGE`), which are never swapped out either.
  size_t huge_byte_count;
};

/// Fills `*statistics`, which has `byte_count` bytes: sizeof(struct heaplab_statistics) in the header that the caller
/// was compiled with. Fields that the library does not know become 0.
void heaplab_read_statistics(struct heaplab_statistics *statistics, size_t byte_count);

/// Locks the pinned part of the heap again (`HEAPLAB_PIN`), in a child of fork: it inherits no locks. Puts the child's own
/// memory behind all of it. 0, or -1 with ENOMEM, EPERM or EAGAIN when the system refuses; part of it may be locked then.
/// Does nothing where nothing was pinned, or all still is.
int heaplab_pin_again(void);

/// Returns all free memory of the calling thread and of the heap to the system, at once. The result is 1 if there was
/// any, else 0.
int heaplab_trim(void);

/// The most bytes that the heap may hold; SIZE_MAX for no limit (`HEAPLAB_LIMIT`). Spans count, also empty ones that
/// threads keep; so do larger blocks, also those in threads' caches, and mappings, also those that freed blocks left.
size_t heaplab_quota(void);

/// Sets the quota in bytes, SIZE_MAX for no limit: past it, allocation fails with ENOMEM. A quota below the bytes in use
/// frees nothing; allocation then fails until enough was freed. Requests that other threads make at the same moment may
/// count or not.
void heaplab_set_quota(size_t byte_count);

// ---- Recording ----

/// Marks this moment in the trace of a process that `heapbench record` records; `text` has at most 240 bytes. Does
/// nothing in any other process.
void heaplab_mark(const char *text);

// ---- Heaps over the caller's own memory ----

/// A heap over one range of memory, which is destroyed as a whole. Only one thread at a time may use it; the caller
/// locks. Misuse ends the process with one line, as with `free`.
typedef struct heaplab_heap heaplab_heap;

/// A heap over the `byte_count` bytes at `memory`. They stay the caller's, must be writable, and belong to the heap
/// alone until it is destroyed. If `memory` is NULL, the heap maps its own. It takes at most `quota` bytes for blocks
/// and its own records: SIZE_MAX for all. NULL with EINVAL when the range is too short (256 KiB are enough), with
/// ENOMEM when there is no memory.
heaplab_heap *heaplab_heap_create(void *memory, size_t byte_count, size_t quota);

/// What the memory of a heap is to be like, any of these together.
enum heaplab_heap_flags {
  /// All of it is in memory and locked (mlock) until the heap is destroyed.
  HEAPLAB_HEAP_PIN = 1,
  /// It lies on the node `node`; on others only when that one has no room.
  HEAPLAB_HEAP_NODE = 2,
  /// Transparent huge pages.
  HEAPLAB_HEAP_THP = 4,
  /// Explicit huge pages of 2 MiB, which are had at once. Only where the heap maps its own memory.
  HEAPLAB_HEAP_2M = 8,
};

/// How `heaplab_heap_create_with` makes a heap. Fields that are 0 stand for nothing in particular, and newer versions only
/// add fields at the end.
struct heaplab_heap_options {
  /// sizeof(struct heaplab_heap_options), from which the library knows the version.
  size_t options_size;
  /// As in `heaplab_heap_create`; a quota of 0 is none.
  void *memory;
  size_t byte_count;
  size_t quota;
  /// Of `enum heaplab_heap_flags`.
  unsigned flags;
  unsigned node;
  /// Called before a request for `byte_count` bytes fails, when the heap has a quota. It may free blocks of the heap; if
  /// it returns 1, the request is tried once more.
  int (*near_quota)(heaplab_heap *heap, size_t byte_count, void *context);
  void *context;
};

/// A heap by options. NULL with EINVAL for options that the library does not know, a range that is too short, a node on
/// which the process may have no memory, and explicit huge pages for the caller's memory; with ENOMEM, EPERM or EAGAIN when
/// there is no memory, when it may not be locked (RLIMIT_MEMLOCK), or when the pool has too few pages. Nothing is done by
/// halves.
heaplab_heap *heaplab_heap_create_with(const struct heaplab_heap_options *options);

/// Moves the pages of a heap to a node, as far as it has room, and has new ones lie there. 0, or -1 with EINVAL for a node on
/// which the process may have no memory, ENOSYS or EPERM when the system refuses.
int heaplab_heap_move(heaplab_heap *heap, unsigned node);

/// Counts the heap's pages that are in memory: `counts[n]` of node n, for n below `node_count`. Looks at every page. 0, or
/// -1 with ENOSYS or EPERM when the system refuses.
int heaplab_heap_count_pages(const heaplab_heap *heap, size_t *counts, size_t node_count);

/// The same for the heap of the process, without mappings.
int heaplab_count_pages(size_t *counts, size_t node_count);

/// Destroys the heap and every block in it. Does nothing for NULL.
void heaplab_heap_destroy(heaplab_heap *heap);

/// A block of at least `byte_count` bytes at a multiple of 16; NULL with ENOMEM when none fits. Its content is undefined.
/// A request for 0 bytes gets a block like any other.
void *heaplab_heap_allocate(heaplab_heap *heap, size_t byte_count);

/// A block of at least `byte_count` bytes at a multiple of `alignment` bytes. NULL with EINVAL unless that is a power of
/// two, with ENOMEM when none fits.
void *heaplab_heap_allocate_aligned(heaplab_heap *heap, size_t alignment, size_t byte_count);

/// A block of at least `byte_count` bytes with the content of `block`, which is freed. NULL with ENOMEM when none fits;
/// `block` then stays. If `block` is NULL, it allocates; 0 bytes are a valid size. An alignment above 16 is lost when the
/// block moves.
void *heaplab_heap_reallocate(heaplab_heap *heap, void *block, size_t byte_count);

/// Frees a block of this heap. Does nothing for NULL.
void heaplab_heap_free(heaplab_heap *heap, void *block);

/// How many bytes of a block may be used: at least as many as were requested; 0 for NULL.
size_t heaplab_heap_usable_size(const heaplab_heap *heap, const void *block);

/// The bytes of the heap's blocks in use, including rounding and headers.
size_t heaplab_heap_used(const heaplab_heap *heap);

#ifdef __cplusplus
}
#endif
