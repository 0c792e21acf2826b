// The functions that the core needs from its platform. Freestanding: it includes only headers of the compiler, none of
// libc, and serves a Linux process, a kernel and a microcontroller alike.
//
// On a hosted system `lab_platform.c` defines the functions; a bare-metal image links its own three.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Shows `length` bytes of one line, its newline included, and ends the process or halts the machine. Must not allocate
/// and must not return.
void lab_platform_fail(const char *line, unsigned long length) __attribute__((cold));

/// Yields the processor to another thread for a while; does nothing where there are no threads.
void lab_platform_yield(void);

#if defined(__linux__)

extern _Thread_local uintptr_t lab_platform_thread_slot
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
uintptr_t lab_platform_thread_begin(void);

/// The bits of a thread's number that hold the address of its slot.
#define LAB_PLATFORM_THREAD_ADDRESS 0xFFFFFFFFFFFFul

/// A number other than 0 that no other live thread has: the address of the thread's slot and, in the upper 16 bits, a
/// count of threads, because a new thread often gets the place of an ended one. A thread keeps its number across fork.
static inline uintptr_t lab_platform_thread(void) {
  return lab_platform_thread_slot != 0 ? lab_platform_thread_slot : lab_platform_thread_begin();
}

#else

/// A number other than 0 that no other live thread has.
uintptr_t lab_platform_thread(void);

#endif

/// Tells the processor that it runs in a wait loop.
static inline void lab_platform_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield" ::: "memory");
#elif defined(__riscv)
  // `pause` of Zihintpause, as its encoding: a hint that older processors ignore.
  __asm__ volatile(".word 0x0100000f" ::: "memory");
#endif
}

static inline void lab_platform_zero(uintptr_t to, uintptr_t byte_count) {
  __builtin_memset((void *)to, 0, byte_count);
}

static inline void lab_platform_copy(uintptr_t to, uintptr_t from, uintptr_t byte_count) {
  __builtin_memcpy((void *)to, (const void *)from, byte_count);
}

// ---- Relaxed atomic accesses in one instruction ----
//
// Compilers emit a load, an operation and a store for these. x86-64 has each as one instruction on memory, which is
// atomic for any thread that reads the word meanwhile. The hot path of `free` uses both.

/// Whether `value` is below the word at `word`, which another thread may write meanwhile.
static inline bool lab_platform_is_below(uint32_t value, uintptr_t word) {
#if defined(__x86_64__)
  bool is_below;
  __asm__("cmpl %2, %1" : "=@ccb"(is_below) : "r"(value), "m"(*(const uint32_t *)word));
  return is_below;
#else
  return value < __atomic_load_n((const uint32_t *)word, __ATOMIC_RELAXED);
#endif
}

/// Subtracts 1 from the word at `word`, which only this thread writes and others may read meanwhile. Returns whether it
/// is 0 now.
static inline bool lab_platform_count_down(uintptr_t word) {
#if defined(__x86_64__)
  bool is_zero;
  __asm__("decw %0" : "+m"(*(int16_t *)word), "=@ccz"(is_zero));
  return is_zero;
#else
  int16_t count = (int16_t)(__atomic_load_n((int16_t *)word, __ATOMIC_RELAXED) - 1);
  __atomic_store_n((int16_t *)word, count, __ATOMIC_RELAXED);
  return count == 0;
#endif
}

#ifdef __cplusplus
}
#endif
