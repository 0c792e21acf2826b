// What libheaplab-record.so needs of C: the next malloc in the loader's order, the thread's slot, the clock, and system
// calls. Nothing here allocates. Functions that can fail return 0 or an errno value; `errno` stays as it was.
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_HIDDEN __attribute__((visibility("hidden")))

/// The malloc that the program would have without the recorder: the next one after this library in the loader's order,
/// which may be the program's own. Until they are found, the members find them and go on there.
struct lab_record_family {
  uintptr_t (*_Nonnull malloc)(uintptr_t byte_count);
  uintptr_t (*_Nonnull calloc)(uintptr_t count, uintptr_t byte_count);
  uintptr_t (*_Nonnull realloc)(uintptr_t block, uintptr_t byte_count);
  void (*_Nonnull free)(uintptr_t block);
  uintptr_t (*_Nonnull aligned_alloc)(uintptr_t alignment, uintptr_t byte_count);
  uintptr_t (*_Nonnull memalign)(uintptr_t alignment, uintptr_t byte_count);
  int (*_Nonnull posix_memalign)(uintptr_t *_Nonnull block, uintptr_t alignment, uintptr_t byte_count);
  uintptr_t (*_Nonnull valloc)(uintptr_t byte_count);
  uintptr_t (*_Nonnull pvalloc)(uintptr_t byte_count);
  uintptr_t (*_Nonnull usable)(uintptr_t block);
};
extern struct lab_record_family lab_record_next LAB_HIDDEN;

static inline uintptr_t lab_record_next_malloc(uintptr_t byte_count) { return lab_record_next.malloc(byte_count); }
static inline uintptr_t lab_record_next_calloc(uintptr_t count, uintptr_t byte_count) {
  return lab_record_next.calloc(count, byte_count);
}
static inline uintptr_t lab_record_next_realloc(uintptr_t block, uintptr_t byte_count) {
  return lab_record_next.realloc(block, byte_count);
}
static inline void lab_record_next_free(uintptr_t block) { lab_record_next.free(block); }
static inline uintptr_t lab_record_next_aligned_alloc(uintptr_t alignment, uintptr_t byte_count) {
  return lab_record_next.aligned_alloc(alignment, byte_count);
}
static inline uintptr_t lab_record_next_memalign(uintptr_t alignment, uintptr_t byte_count) {
  return lab_record_next.memalign(alignment, byte_count);
}
static inline int lab_record_next_posix_memalign(uintptr_t *_Nonnull block, uintptr_t alignment, uintptr_t byte_count) {
  return lab_record_next.posix_memalign(block, alignment, byte_count);
}
static inline uintptr_t lab_record_next_valloc(uintptr_t byte_count) { return lab_record_next.valloc(byte_count); }
static inline uintptr_t lab_record_next_pvalloc(uintptr_t byte_count) { return lab_record_next.pvalloc(byte_count); }
static inline uintptr_t lab_record_next_usable(uintptr_t block) { return lab_record_next.usable(block); }

// ---- The thread's slot ----

/// Where this thread writes. Zero at first.
struct lab_record_slot {
  /// The next record's place, and the end of the chunk.
  uintptr_t cursor;
  uintptr_t end;
  /// The chunk, and the ticks of its base.
  uintptr_t chunk;
  uint64_t base;
  /// The thread's number plus one; 0 before it has one.
  uintptr_t number;
  /// Nonzero while the thread is inside the recorder.
  uintptr_t depth;
  /// Nonzero once the thread's destructors ran.
  uintptr_t is_ending;
};
extern _Thread_local LAB_HIDDEN __attribute__((tls_model("initial-exec"))) struct lab_record_slot lab_record_slot_here;
static inline struct lab_record_slot *_Nonnull lab_record_slot(void) { return &lab_record_slot_here; }

/// Moves this thread's cursor by `byte_count` and returns where it was. One instruction where there is such a one: a
/// handler that interrupts the thread gets a place of its own.
static inline uintptr_t lab_record_claim(uintptr_t byte_count) {
#if defined(__x86_64__)
  uintptr_t place = byte_count;
  __asm__ volatile("xaddq %0, %1" : "+r"(place), "+m"(lab_record_slot_here.cursor)::"memory");
  return place;
#else
  uintptr_t place = lab_record_slot_here.cursor;
  lab_record_slot_here.cursor = place + byte_count;
  return place;
#endif
}

/// Stores a record's second word and then its first, which makes it whole. Releasing pairs with the reading of the file
/// by heapbench, which sees no second word without the first.
static inline void lab_record_store(uintptr_t place, uint64_t head, uint64_t tail) {
  *(uint64_t *)(place + 8) = tail;
  __atomic_store_n((uint64_t *)place, head, __ATOMIC_RELEASE);
}

/// The processor's counter, which runs evenly and equally on all processors; else nanoseconds. Other instructions may
/// pass it: heapbench sorts what that turns round.
uint64_t lab_record_nanoseconds(void);
static inline uint64_t lab_record_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return lab_record_nanoseconds();
#endif
}

// ---- The process ----

/// The word that says whether this process records. It lies in a page that the kernel wipes in a child of fork.
extern uintptr_t *_Nonnull lab_record_word LAB_HIDDEN;
static inline uintptr_t lab_record_is_on(void) { return *(volatile uintptr_t *)lab_record_word; }
/// Releasing pairs with nothing that acquires: a thread that sees the word needs only its own slot.
static inline void lab_record_turn(uintptr_t is_on) { __atomic_store_n(lab_record_word, is_on, __ATOMIC_RELEASE); }
/// Gives the word its page.
int lab_record_make_word(void);

/// Zeroed words for the recorder's state.
#define LAB_RECORD_STATE_WORD_COUNT 256
extern uintptr_t lab_record_state_words[LAB_RECORD_STATE_WORD_COUNT] LAB_HIDDEN;
static inline uintptr_t lab_record_state(void) { return (uintptr_t)lab_record_state_words; }
/// Acquires and releases, and pairs with itself: who takes a parked ring sees what its thread wrote.
static inline uintptr_t lab_record_exchange(uintptr_t word, uintptr_t value) {
  return __atomic_exchange_n((uintptr_t *)word, value, __ATOMIC_ACQ_REL);
}
static inline uintptr_t lab_record_add(uintptr_t word, uintptr_t value) {
  return __atomic_fetch_add((uintptr_t *)word, value, __ATOMIC_RELAXED);
}
/// Acquiring pairs with the exchange of the state, behind which the header's address is set.
static inline uintptr_t lab_record_load(uintptr_t word) { return __atomic_load_n((uintptr_t *)word, __ATOMIC_ACQUIRE); }
static inline void lab_record_set(uintptr_t word, uint64_t value) { *(volatile uint64_t *)word = value; }

/// The process, and its parent.
uintptr_t lab_record_process(void);
uintptr_t lab_record_parent(void);

/// Blocks all signals and returns the former mask's place in the thread; `lab_record_unblock` restores it, and `errno`.
void lab_record_block(void);
void lab_record_unblock(void);

/// Creates the file of this process in the folder that the environment names: 0; ENOENT where it names none, EAGAIN
/// before there is an environment.
int lab_record_create(const char *_Nonnull variable);
/// Makes sure that the file has `byte_count` bytes at `offset` on the disk, and maps them. Without those, a store to a
/// mapping of a full disk would end the program.
int lab_record_map(uintptr_t offset, uintptr_t byte_count, uintptr_t *_Nonnull address);
/// Writes mapped bytes to another place of the file.
int lab_record_write(uintptr_t offset, uintptr_t address, uintptr_t byte_count);
static inline void lab_record_zero(uintptr_t address, uintptr_t byte_count) {
  __builtin_memset((void *)address, 0, byte_count);
}
void lab_record_unmap(uintptr_t address, uintptr_t byte_count);
/// Copies the process's command line, of at most `byte_count` bytes, and returns its length.
uintptr_t lab_record_read_command(uintptr_t address, uintptr_t byte_count);

/// Calls `body` when this thread ends.
void lab_record_at_thread_end(void (*_Nonnull body)(void));

static inline void lab_record_errno_set(int code) { errno = code; }
