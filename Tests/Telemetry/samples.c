// Programs with call sites whose memory is known, for samples: they say what each site holds, and wait.
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SITES = 16, SLOTS = 200000, GRANULE = 1 << 16 };
static void *block[SLOTS];
static uint8_t site_of[SLOTS];
static uint64_t state = 1;
static uint64_t draw(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return state; }

// Every function is a site of its own. The empty statement keeps each call from becoming a jump.
#define SITE(n, how) \
  __attribute__((noinline)) void *site_##n(size_t size) { void *p = how; __asm__ volatile("" ::"r"(p) : "memory"); return p; }
static void *aligned(size_t size) { void *p = 0; return posix_memalign(&p, 64, size) ? 0 : p; }
static void *moved(size_t size) { return realloc(malloc(size / 4 + 1), size); }
SITE(0, malloc(size)) SITE(1, malloc(size)) SITE(2, calloc(1, size)) SITE(3, aligned(size)) SITE(4, moved(size)) SITE(5, malloc(size))
SITE(6, malloc(size)) SITE(7, malloc(size)) SITE(8, malloc(size)) SITE(9, malloc(size)) SITE(10, malloc(size)) SITE(11, malloc(size))
SITE(12, malloc(size)) SITE(13, calloc(1, size)) SITE(14, moved(size)) SITE(15, malloc(size))
static void *(*const sites[SITES])(size_t) = {site_0, site_1, site_2, site_3, site_4, site_5, site_6, site_7, site_8, site_9, site_10, site_11, site_12, site_13, site_14, site_15};

static size_t size_for(int site, uint64_t random) {
  static const size_t most[SITES] = {100, 100, 100, 100, 300, 300, 900, 900, 900, 900, 900, 900, 4000, 8000, 20000, 100000};
  return 16 + random % most[site];
}

struct sums { double bytes, objects, pinned; };

// What each site holds: the bytes of its blocks, and its shares of the free memory of the 64 KiB around them.
static void print_truth(void) {
  static uint32_t used[1 << 20];
  static uint64_t base = UINT64_MAX;
  static struct sums sums[SITES];
  for (int i = 0; i < SLOTS; i++)
    if (block[i] && (uintptr_t)block[i] < base) base = (uintptr_t)block[i];
  base &= -(uint64_t)GRANULE;
  for (int i = 0; i < SLOTS; i++)
    if (block[i]) used[((uintptr_t)block[i] - base) / GRANULE] += malloc_usable_size(block[i]);
  for (int i = 0; i < SLOTS; i++) {
    if (!block[i]) continue;
    size_t size = malloc_usable_size(block[i]);
    struct sums *to = &sums[site_of[i]];
    to->bytes += size;
    to->objects++;
    if (size > 1024) continue;
    uint32_t in_use = used[((uintptr_t)block[i] - base) / GRANULE];
    unsigned char pages[16];
    unsigned resident = 0;
    mincore((void *)((uintptr_t)block[i] & -(uintptr_t)GRANULE), GRANULE, pages);
    for (int page = 0; page < 16; page++) resident += (pages[page] & 1) * 4096;
    if (resident > in_use) to->pinned += (double)size / in_use * (resident - in_use);
  }
  for (int i = 0; i < SITES; i++) printf("%d %.0f %.0f %.0f\n", i, sums[i].bytes, sums[i].objects, sums[i].pinned);
  puts("ready");
  fflush(stdout);
}

static void put(int slot, int site) {
  free(block[slot]);
  site_of[slot] = site;
  block[slot] = sites[site](size_for(site, draw()));
}

// Sites of all sizes and kinds of calls; sites 12 and up have fewer blocks.
static void churn(long steps, int bound) {
  for (long i = 0; i < steps; i++) {
    int slot = draw() % SLOTS;
    free(block[slot]);
    block[slot] = 0;
    int site = draw() % bound;
    if (draw() % 4 == 0 || (site >= 12 && slot % 100)) continue;
    put(slot, site);
  }
}

// Many blocks of 11 sites come and go; those of the site `culprit` stay, few to a page.
static void fragment(int culprit) {
  for (int i = 0; i < SLOTS; i++) {
    int site = draw() % 11;
    if (site >= culprit) site++;
    if (i % 100 == 0) site = culprit;
    site_of[i] = site;
    block[i] = sites[site](64 + draw() % 200);
  }
  for (int i = 0; i < SLOTS; i++)
    if (site_of[i] != culprit && draw() % 50) { free(block[i]); block[i] = 0; }
}

static long steps_of_thread;
static pthread_mutex_t locks[64];
static void *worker(void *seed) {
  uint64_t x = (uintptr_t)seed * 0x9E3779B97F4A7C15u + 1;
  for (long i = 0; i < steps_of_thread; i++) {
    x ^= x << 13; x ^= x >> 7; x ^= x << 17;
    int slot = (x >> 20) % SLOTS, site = (x >> 40) % SITES;
    void *made = (x >> 50) % 4 == 0 || (site >= 12 && slot % 100) ? 0 : sites[site](size_for(site, x >> 8));
    if (made) memset(made, 0xA5, 16);
    pthread_mutex_lock(&locks[slot % 64]);
    void *old = block[slot];
    block[slot] = made;
    site_of[slot] = site;
    pthread_mutex_unlock(&locks[slot % 64]);
    free(old);
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  state = (argc > 2 ? strtoull(argv[2], 0, 10) : 1) * 0x9E3779B97F4A7C15u | 1;
  for (int i = 0; i < 20; i++) draw();
  if (!strcmp(mode, "churn")) churn(3000000, SITES);
  if (!strcmp(mode, "small")) churn(3000000, 12);
  if (!strcmp(mode, "fragment")) {
    int culprit = draw() % 12;
    printf("culprit %d\n", culprit);
    fragment(culprit);
  }
  if (!strcmp(mode, "threads") || !strcmp(mode, "fork") || !strcmp(mode, "generations")) {
    for (int i = 0; i < 64; i++) pthread_mutex_init(&locks[i], 0);
    int generations = mode[0] == 'g' ? 20 : 1, count = 16;
    steps_of_thread = 4000000 / generations / count;
    for (int g = 0; g < generations; g++) {
      pthread_t threads[16];
      for (intptr_t i = 0; i < count; i++) pthread_create(&threads[i], 0, worker, (void *)(i + 1 + g * 16 + (intptr_t)(state >> 40)));
      for (int i = 0; i < count; i++) pthread_join(threads[i], 0);
    }
  }
  if (!strcmp(mode, "fork")) {
    // The child goes on with what the parent had, and says what it has.
    pid_t child = fork();
    if (child != 0) { waitpid(child, 0, 0); return 0; }
    churn(1000000, SITES);
    printf("child %d\n", getpid());
  }
  if (!strcmp(mode, "idle")) { puts("ready"); fflush(stdout); getchar(); churn(3000000, SITES); }
  print_truth();
  getchar();
  return 0;
}
