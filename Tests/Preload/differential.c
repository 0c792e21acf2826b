// Random requests against a shadow model: no overlap, kept contents, usable size, alignment, and accounting that
// returns to its start. Blocks pass between threads; sizes go to 64 MiB, alignments to 1 MiB.
//
//   differential THREADS SECONDS SEED
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "expect.h"

enum { slots_per_thread = 400, most_threads = 64 };

/// A live block and its model: every 8 bytes at its start and end hold its key.
struct shadow {
  unsigned char *block;
  size_t size;
  size_t alignment;
  uint64_t key;
};

struct shelf {
  pthread_mutex_t lock;
  struct shadow slots[slots_per_thread];
};

static struct shelf shelves[most_threads];
static int thread_count;
static double seconds;
static uint64_t seed;

static uint64_t next_random(uint64_t *state) {
  uint64_t value = *state += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

static size_t random_size(uint64_t *state) {
  uint64_t kind = next_random(state) % 1000, value = next_random(state);
  if (kind < 700) return value % 600;
  if (kind < 900) return value % 20000;
  if (kind < 985) return value % 300000;
  if (kind < 998) return value % (4 << 20);
  return value % (64 << 20);
}

static void fill(struct shadow *shadow) {
  // All of a small block; the ends of a large one, and a sample of its pages.
  unsigned char value = (unsigned char)shadow->key;
  if (shadow->size <= 32768) {
    memset(shadow->block, value, shadow->size);
    return;
  }
  memset(shadow->block, value, 64);
  for (size_t i = 4096; i < shadow->size; i += 65536) shadow->block[i] = value;
  memset(shadow->block + shadow->size - 64, value, 64);
}

static void check_bytes(const unsigned char *bytes, unsigned char value, size_t count) {
  for (size_t i = 0; i < count; i++) EXPECT(bytes[i] == value);
}

static void check(const struct shadow *shadow) {
  unsigned char value = (unsigned char)shadow->key;
  EXPECT(((uintptr_t)shadow->block & (shadow->alignment - 1)) == 0);
  EXPECT(malloc_usable_size(shadow->block) >= shadow->size);
  if (shadow->size <= 32768) {
    check_bytes(shadow->block, value, shadow->size);
    return;
  }
  check_bytes(shadow->block, value, 64);
  for (size_t i = 4096; i < shadow->size; i += 65536) EXPECT(shadow->block[i] == value);
  check_bytes(shadow->block + shadow->size - 64, value, 64);
}

static void fill_slot(struct shadow *shadow, uint64_t *state) {
  uint64_t kind = next_random(state) % 100;
  *shadow = (struct shadow){.size = random_size(state), .alignment = 16, .key = next_random(state)};
  if (kind < 70) {
    shadow->block = opaque(malloc(shadow->size));
  } else if (kind < 85) {
    shadow->block = opaque(calloc(1, shadow->size));
    EXPECT(shadow->block != NULL);
    if (shadow->size <= 32768) check_bytes(shadow->block, 0, shadow->size);
    else for (size_t i = 0; i < shadow->size; i += 509) EXPECT(shadow->block[i] == 0);
  } else {
    shadow->alignment = (size_t)16 << next_random(state) % (kind < 99 ? 9 : 17);
    EXPECT(posix_memalign((void **)&shadow->block, shadow->alignment, shadow->size) == 0);
  }
  EXPECT(shadow->block != NULL);
  fill(shadow);
}

static void resize_slot(struct shadow *shadow, uint64_t *state) {
  struct shadow old = *shadow;
  shadow->size = random_size(state) + 1;
  shadow->alignment = 16;
  shadow->block = opaque(realloc(shadow->block, shadow->size));
  EXPECT(shadow->block != NULL);
  size_t kept = old.size < shadow->size ? old.size : shadow->size;
  check_bytes(shadow->block, (unsigned char)old.key, kept < 64 ? kept : 64);
  if (old.size <= 32768) check_bytes(shadow->block, (unsigned char)old.key, kept);
  fill(shadow);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *work(void *argument) {
  uint64_t state = seed * 1000003 + (uint64_t)(uintptr_t)argument;
  double end = now() + seconds;
  for (uint64_t step = 0; step % 64 != 0 || now() < end; step++) {
    // Mostly the thread's own shelf, sometimes another's: another thread then checks and frees the block.
    uint64_t owner = next_random(&state) % 4 ? (uint64_t)(uintptr_t)argument : next_random(&state);
    struct shelf *shelf = &shelves[owner % (uint64_t)thread_count];
    pthread_mutex_lock(&shelf->lock);
    struct shadow *shadow = &shelf->slots[next_random(&state) % slots_per_thread];
    if (!shadow->block) {
      fill_slot(shadow, &state);
    } else {
      check(shadow);
      if (next_random(&state) % 4 == 0) {
        resize_slot(shadow, &state);
      } else {
        free(shadow->block);
        shadow->block = NULL;
      }
    }
    pthread_mutex_unlock(&shelf->lock);
  }
  return NULL;
}

static void check_no_overlap(void) {
  static struct shadow *all[most_threads * slots_per_thread];
  int count = 0;
  for (int i = 0; i < thread_count; i++)
    for (int j = 0; j < slots_per_thread; j++)
      if (shelves[i].slots[j].block) all[count++] = &shelves[i].slots[j];
  for (int i = 1; i < count; i++) {
    struct shadow *moving = all[i];
    int j = i;
    for (; j > 0 && all[j - 1]->block > moving->block; j--) all[j] = all[j - 1];
    all[j] = moving;
  }
  for (int i = 1; i < count; i++) EXPECT(all[i - 1]->block + all[i - 1]->size <= all[i]->block);
}

int main(int argc, char **argv) {
  EXPECT(argc == 4);
  thread_count = atoi(argv[1]);
  seconds = atof(argv[2]);
  seed = strtoull(argv[3], NULL, 0);
  EXPECT(thread_count >= 1 && thread_count <= most_threads);
  printf("differential: %d threads, %.0f s, seed %llu\n", thread_count, seconds, (unsigned long long)seed);
  fflush(stdout);
  free(opaque(malloc(1)));
  struct mallinfo2 before = mallinfo2();
  pthread_t threads[most_threads];
  for (int i = 0; i < thread_count; i++) pthread_mutex_init(&shelves[i].lock, NULL);
  for (int i = 0; i < thread_count; i++)
    EXPECT(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) == 0);
  for (int i = 0; i < thread_count; i++) EXPECT(pthread_join(threads[i], NULL) == 0);
  check_no_overlap();
  for (int i = 0; i < thread_count; i++)
    for (int j = 0; j < slots_per_thread; j++)
      if (shelves[i].slots[j].block) {
        check(&shelves[i].slots[j]);
        free(shelves[i].slots[j].block);
      }
  struct mallinfo2 after = mallinfo2();
  size_t used_before = before.uordblks + before.hblkhd, used_after = after.uordblks + after.hblkhd;
  size_t allowed = 65536 * (size_t)(thread_count + 1);
  if (used_after > used_before + allowed)
    dprintf(STDERR_FILENO, "in use: %zu bytes before, %zu after all frees\n", used_before, used_after);
  EXPECT(used_after <= used_before + allowed);
  return 0;
}
