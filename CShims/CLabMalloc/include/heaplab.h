// What libheaplab.so offers beside malloc: its figures, its quota, and heaps over memory of the caller's own.
//
//   cc program.c $(pkg-config --cflags --libs heaplab)
//
// Functions without a word on threads may be called by any thread at any time. Those that fail set `errno`, as malloc
// does. A program that is only preloaded finds them by dlsym(RTLD_DEFAULT, "heaplab_version").
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The version that this header belongs to.
#define HEAPLAB_VERSION "0.2.0"

/// The version of the library, as text; it may be another than `HEAPLAB_VERSION`.
const char *heaplab_version(void);

/// The policy that serves malloc: "general", "firstfit" or "buddy" (`HEAPLAB_POLICY`).
const char *heaplab_policy(void);

// ---- The heap of the process: what malloc runs on ----

/// What the heap holds. Other threads go on while it is counted, so the figures are those of no one instant.
struct heaplab_statistics {
  /// Bytes that the heap can write to without asking the system, in use or not; mappings not counted.
  size_t committed_byte_count;
  /// Bytes of the blocks in use, mappings included.
  size_t live_byte_count;
  /// Committed bytes that no block in use has.
  size_t free_byte_count;
  /// Bytes and number of the blocks that are mappings of their own.
  size_t mapped_byte_count;
  size_t mapped_count;
  /// How many threads had blocks at one time, at most.
  size_t heap_count;
  /// Runs of 64 KiB with blocks of one size.
  size_t span_count;
  /// Bytes in which first fit places what is too large for those.
  size_t arena_byte_count;
};

/// Fills `*statistics`, which has `byte_count` bytes: sizeof(struct heaplab_statistics) of the header that the caller
/// was compiled with. Fields that the library does not know become 0.
void heaplab_read_statistics(struct heaplab_statistics *statistics, size_t byte_count);

/// Gives the system back what the calling thread and the heap have free, at once; 1 if there was any, else 0.
int heaplab_trim(void);

/// The most bytes that the heap may hold, SIZE_MAX for no limit (`HEAPLAB_LIMIT`). What counts are runs of small
/// blocks, larger blocks, and mappings, also freed ones until the system has them back.
size_t heaplab_quota(void);

/// Sets the quota: past it, allocation fails with ENOMEM. One below what is in use takes nothing away; allocation
/// fails until enough was freed. Other threads' requests of that very moment may count or not.
void heaplab_set_quota(size_t byte_count);

// ---- Heaps of the caller's own ----

/// A heap over one range of memory, to be destroyed as a whole. One thread at a time may use it; the caller locks.
/// Misuse ends the process with one line, as with `free`.
typedef struct heaplab_heap heaplab_heap;

/// A heap over the `byte_count` bytes at `memory`, which stay the caller's, must be writable, and are the heap's alone
/// until it is destroyed; over memory of its own when `memory` is NULL. It takes at most `quota` bytes of them for
/// blocks and its own records: SIZE_MAX for all.
/// NULL with EINVAL when the range is too short (256 KiB are enough), with ENOMEM when there is no memory.
heaplab_heap *heaplab_heap_create(void *memory, size_t byte_count, size_t quota);

/// Ends the heap and every block in it. Nothing happens for NULL.
void heaplab_heap_destroy(heaplab_heap *heap);

/// A block at a multiple of 16, NULL with ENOMEM when none fits. A block of 0 bytes is one like any other.
void *heaplab_heap_allocate(heaplab_heap *heap, size_t byte_count);

/// A block at a multiple of `alignment`; NULL with EINVAL unless that is a power of two.
void *heaplab_heap_allocate_aligned(heaplab_heap *heap, size_t alignment, size_t byte_count);

/// A block with the content of another, which is then no more; NULL with ENOMEM when none fits, and then that one stays.
/// NULL as block allocates; 0 bytes are as good a size as any. An alignment above 16 is lost when the block moves.
void *heaplab_heap_reallocate(heaplab_heap *heap, void *block, size_t byte_count);

/// Takes a block of this heap back. Nothing happens for NULL.
void heaplab_heap_free(heaplab_heap *heap, void *block);

/// How many bytes of a block may be used: at least as many as were asked for.
size_t heaplab_heap_usable_size(const heaplab_heap *heap, const void *block);

/// The bytes of the heap's blocks in use, with what rounding and headers add.
size_t heaplab_heap_used(const heaplab_heap *heap);

#ifdef __cplusplus
}
#endif
