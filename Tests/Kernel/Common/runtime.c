// What the compilers call without being asked, what the core modules ask of their platform, and the allocator under
// Swift's classes and arrays.
#include "machine.h"

// ---- Memory ----

// Each loop has a barrier: the compiler would make a call of the very function out of it.
#define KEEP_LOOP __asm__ volatile("" ::: "memory")

void *memset(void *to, int byte, unsigned long count) {
  uint8_t *at = to;
  const uint64_t word = 0x0101010101010101u * (uint8_t)byte;
  for (; count > 0 && (uint64_t)at % 8 != 0; count--) *at++ = (uint8_t)byte;
  for (; count >= 8; count -= 8, at += 8) {
    *(uint64_t *)at = word;
    KEEP_LOOP;
  }
  for (; count > 0; count--) {
    *at++ = (uint8_t)byte;
    KEEP_LOOP;
  }
  return to;
}

void *memcpy(void *to, const void *from, unsigned long count) {
  uint8_t *a = to;
  const uint8_t *b = from;
  if (((uint64_t)a | (uint64_t)b) % 8 == 0) {
    for (; count >= 8; count -= 8, a += 8, b += 8) {
      *(uint64_t *)a = *(const uint64_t *)b;
      KEEP_LOOP;
    }
  }
  for (; count > 0; count--) {
    *a++ = *b++;
    KEEP_LOOP;
  }
  return to;
}

void *memmove(void *to, const void *from, unsigned long count) {
  if ((uint64_t)to - (uint64_t)from >= count) return memcpy(to, from, count);
  while (count-- > 0) {
    ((uint8_t *)to)[count] = ((const uint8_t *)from)[count];
    KEEP_LOOP;
  }
  return to;
}

int memcmp(const void *left, const void *right, unsigned long count) {
  const uint8_t *a = left, *b = right;
  for (unsigned long i = 0; i < count; i++) {
    if (a[i] != b[i]) return a[i] - b[i];
    KEEP_LOOP;
  }
  return 0;
}

// ---- What Swift's runtime calls ----

/// The seeds of hash tables; a kernel would ask its entropy pool.
void arc4random_buf(void *to, unsigned long count) {
  for (unsigned long i = 0; i < count; i++) ((uint8_t *)to)[i] = (uint8_t)(cpu_time() * 0x9E3779B97F4A7C15u >> 56);
}

// Traps.swift defines it.
_Noreturn void kernel_fail(const char *line, uint64_t length);

uint64_t __stack_chk_guard = 0x5BD1E9955BD1E995u;
_Noreturn void __stack_chk_fail(void) {
  static const char line[] = "a function wrote past its frame\n";
  kernel_fail(line, sizeof line - 1);
}

// GlobalAllocator.swift defines these two.
void *kernel_allocate(uint64_t byte_count, uint64_t alignment);
void kernel_deallocate(void *address);

int posix_memalign(void **result, unsigned long alignment, unsigned long byte_count) {
  *result = kernel_allocate(byte_count, alignment);
  return *result != 0 ? 0 : 12;  // ENOMEM
}
void free(void *address) {
  if (address != 0) kernel_deallocate(address);
}

/// A hash table rounds its capacity, which is below 2^53.
double ceil(double value) {
  double whole = (double)(int64_t)value;
  return whole < value ? whole + 1 : whole;
}

// ---- What the core modules ask of their platform ----

// Shootdown.swift defines it on x86-64, Devices.swift on the others.
void kernel_wait(void);

void lab_platform_fail(const char *line, unsigned long length) { kernel_fail(line, length); }
void lab_platform_yield(void) { kernel_wait(); }
uintptr_t lab_platform_thread(void) { return cpu_number() + 1; }

uint64_t map_storage[2048];

// ---- Probes ----

uint32_t probed_variable;

uint64_t probe_read(uint64_t address, uint64_t unused) {
  (void)unused;
  memory_read(address);
  return 0;
}
uint64_t probe_write(uint64_t address, uint64_t value) {
  memory_write(address, value);
  return 0;
}
uint64_t probe_execute(uint64_t address, uint64_t unused) {
  (void)unused;
  ((void (*)(void))address)();
  return 0;
}
