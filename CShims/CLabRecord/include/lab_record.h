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
  /// The last reading of the counter, since the base, and the beat at that moment.
  uint64_t ticks;
  uintptr_t beat;
  /// The ring's number, where an owner's word has it.
  uintptr_t owner;
  /// The thread's memory for call stacks; 0 before there was one.
  uintptr_t stacks;
  /// Nonzero while the thread unwinds: what the unwinder allocates has no stack.
  uintptr_t is_unwinding;
  /// The bytes until the thread's next sample, and the state of its generator of random numbers, 0 at first.
  uintptr_t sample_distance;
  uint64_t random;
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

/// Stores a record's first word and then its second, which makes it whole; or a record of one word. Releasing pairs with
/// the reading of the file by heapbench, which sees no last word without the first.
static inline void lab_record_store(uintptr_t place, uint64_t head, uint64_t tail) {
  *(uint64_t *)place = head;
  __atomic_store_n((uint64_t *)(place + 8), tail, __ATOMIC_RELEASE);
}
static inline void lab_record_store_word(uintptr_t place, uint64_t word) { *(volatile uint64_t *)place = word; }

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

// ---- Whose a block was last ----

/// A word for each block that was seen lately: its address, and the ring that recorded the last call with it.
#define LAB_RECORD_OWNER_COUNT (1 << 15)
extern uint64_t lab_record_owners[LAB_RECORD_OWNER_COUNT] LAB_HIDDEN;
/// The bits of an address below the ring's number.
#define LAB_RECORD_OWNER_SHIFT 47

/// Whether the last call with this block was recorded in the same ring; from now on it was.
///
/// Relaxed: a block reaches another thread by an order that the next malloc or the program makes, and the word with it.
static inline int lab_record_own(uintptr_t block, uintptr_t owner) {
  uint64_t *place = &lab_record_owners[((block >> 4) + (block >> 26) * 0x2545) % LAB_RECORD_OWNER_COUNT];
  uint64_t word = block ^ owner;
  if (__atomic_load_n(place, __ATOMIC_RELAXED) == word) return 1;
  __atomic_store_n(place, word, __ATOMIC_RELAXED);
  return 0;
}

/// The beat of heapbench's clock: a number in a page that it shares, and that grows each millisecond.
extern const uintptr_t *_Nonnull lab_record_beat_word LAB_HIDDEN;
static inline uintptr_t lab_record_beat(void) { return *(const volatile uintptr_t *)lab_record_beat_word; }

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

/// The number that the environment's `variable` has; 0 where it has none.
uintptr_t lab_record_number(const char *_Nonnull variable);
/// Maps heapbench's clock from the file `name` in the folder that the environment's `variable` names, if it is there.
void lab_record_map_beat(const char *_Nonnull variable, const char *_Nonnull name);

// ---- Call stacks ----

/// libunwind's `unw_backtrace`; NULL until it is loaded, which happens before `main`.
extern int (*_Nullable lab_record_backtrace)(void *_Nullable *_Nonnull frames, int count) LAB_HIDDEN;
static inline int lab_record_can_unwind(void) { return lab_record_backtrace != NULL; }
/// Stores at most `count` return addresses at `frames`, the innermost first, and returns their number. The first ones are
/// of this library.
static inline uintptr_t lab_record_unwind(uintptr_t frames, uintptr_t count) {
  if (!lab_record_backtrace) return 0;
  int code = errno;
  int found = lab_record_backtrace((void **)frames, (int)count);
  errno = code;
  return found > 0 ? (uintptr_t)found : 0;
}
extern const char __ehdr_start[] LAB_HIDDEN;
extern const char etext[] LAB_HIDDEN;
/// Whether an address is in this library.
static inline uintptr_t lab_record_is_own_code(uintptr_t address) {
  return address - (uintptr_t)__ehdr_start < (uintptr_t)etext - (uintptr_t)__ehdr_start;
}
/// The .eh_frame_hdr of the library with this address; 0 where there is none, or the C library cannot tell (before 2.35).
uintptr_t lab_record_frame_header(uintptr_t address);
/// The caller's frame, where its own frame pointer and its return address are.
static inline __attribute__((always_inline)) uintptr_t lab_record_frame_pointer(void) {
  return (uintptr_t)__builtin_frame_address(0);
}
/// A number that changes whenever the program loads or unloads a library.
uintptr_t lab_record_module_changes(void);
/// The bytes of /proc/self/maps, and its text, of at most `byte_count` bytes; both return the length.
uintptr_t lab_record_maps_length(void);
uintptr_t lab_record_read_maps(uintptr_t address, uintptr_t byte_count);
/// Zeroed memory, for good; 0 when there is none.
uintptr_t lab_record_memory(uintptr_t byte_count);

// ---- Samples ----

/// The blocks that were sampled and are in use: sets of eight words each, a cache line. A block whose set is full is not
/// sampled.
#define LAB_RECORD_SAMPLE_SET_COUNT (1 << 17)
int lab_record_sample_insert(uintptr_t block);
/// Whether the block was there. It no longer is.
int lab_record_sample_remove(uintptr_t block);

/// Calls `body` when this thread ends.
void lab_record_at_thread_end(void (*_Nonnull body)(void));

static inline void lab_record_errno_set(int code) { errno = code; }
