// How a reader outside of a process finds the figures of its heap: the exported symbol heaplab_telemetry_v1 names them.
//
// Readers take the symbol from the library's dynamic symbol table, which strip leaves, and read the process's memory by
// process_vm_readv(2). The process does nothing for them, and its hot paths count nothing. docs/telemetry.md says what
// the figures mean.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A named word. The end of the name says what the word is:
///
///     NAME     a constant: a count, a size in bytes, a shift, or the first address of something
///     NAME@    the address of a figure that changes
///     NAME+    the offset of a field in a record, in bytes
///
/// A reader looks up what it needs by name. Names are added to a version and never removed from it; the widths of fields
/// and what they mean stay.
struct heaplab_telemetry_word {
  char name[24];
  uint64_t value;
};

/// The version of the contract that this header has, and the most words.
#define HEAPLAB_TELEMETRY_VERSION 1
#define HEAPLAB_TELEMETRY_WORD_MAXIMUM 96

/// The table of words. All of it is zero until the heap was set up, at the first allocation; `word_count` is set last.
/// `magic` is "heaplab".
struct heaplab_telemetry {
  char magic[8];
  uint32_t version;
  uint32_t word_count;
  struct heaplab_telemetry_word words[HEAPLAB_TELEMETRY_WORD_MAXIMUM];
};
extern struct heaplab_telemetry heaplab_telemetry_v1;

/// What a process with HEAPLAB_TELEMETRY=1 keeps in /dev/shm/heaplab-PID, for readers that may not read its memory. The
/// process itself renews the figures on its slow paths, at most once a second: they are as old as `updated` says.
/// `sequence` is odd while it does. Times are milliseconds of CLOCK_BOOTTIME. Figures are those of
/// `struct heaplab_statistics`, and the counters of docs/telemetry.md.
struct heaplab_telemetry_page {
  char magic[8];
  uint32_t version;
  uint32_t sequence;
  uint64_t process;
  uint64_t made;
  uint64_t updated;
  uint64_t committed, live, mapped, mapped_count, heap_count, span_count, arena;
  uint64_t cached, quota;
  uint64_t slow_paths, commits, purged, regrets, refused;
};

#ifdef __cplusplus
}
#endif
