// One kind of misuse, by name: `misuse NAME`. Each must end with one line on standard error and SIGABRT.
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int global[16];

static void *freeIt(void *block) {
  free(block);
  return 0;
}

static void inThread(void *block) {
  pthread_t thread;
  pthread_create(&thread, 0, freeIt, block);
  pthread_join(thread, 0);
}

#define DOUBLE(NAME, ALLOCATION) \
  if (!strcmp(kind, NAME)) {     \
    void *p = ALLOCATION;        \
    free(p);                     \
    free(p);                     \
  }

int main(int count, char **arguments) {
  const char *kind = count > 1 ? arguments[1] : "";
  void *volatile keep[64];
  for (int i = 0; i < 64; i++) keep[i] = malloc(48);
  DOUBLE("double-small", malloc(48))
  DOUBLE("double-zero", malloc(0))
  DOUBLE("double-medium", malloc(3000))
  DOUBLE("double-calloc", calloc(3, 100))
  DOUBLE("double-aligned", aligned_alloc(256, 512))
  DOUBLE("double-large", malloc(100000))
  DOUBLE("double-huge", malloc(50 << 20))
  if (!strcmp(kind, "double-later")) {
    void *p = malloc(48);
    free(p);
    for (int i = 0; i < 20; i++) free(keep[i]);
    free(p);
  }
  if (!strcmp(kind, "double-other-thread")) {
    void *p = malloc(48);
    inThread(p);
    free(p);
  }
  if (!strcmp(kind, "double-in-two-threads")) {
    void *p = malloc(48);
    inThread(p);
    inThread(p);
  }
  if (!strcmp(kind, "double-large-other-thread")) {
    void *p = malloc(100000);
    inThread(p);
    free(p);
  }
  if (!strcmp(kind, "realloc-freed")) {
    void *p = malloc(48);
    free(p);
    p = realloc(p, 4000);
  }
  if (!strcmp(kind, "usable-freed")) {
    void *p = malloc(48);
    free(p);
    return (int)malloc_usable_size(p);
  }
  if (!strcmp(kind, "stack")) {
    long local[4];
    free((void *)(long)local);
  }
  if (!strcmp(kind, "global")) free((void *)(long)global);
  if (!strcmp(kind, "code")) free((void *)(long)main);
  if (!strcmp(kind, "mapping")) free(mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (!strcmp(kind, "number")) free((void *)0x123450);
  if (!strcmp(kind, "wild")) free((void *)0xdeadbeefdeadbeef);
  if (!strcmp(kind, "interior-small")) free((char *)malloc(48) + 16);
  if (!strcmp(kind, "interior-power")) free((char *)malloc(64) + 32);
  if (!strcmp(kind, "interior-medium")) free((char *)malloc(5000) + 4096);
  if (!strcmp(kind, "interior-large")) free((char *)malloc(100000) + 4096);
  if (!strcmp(kind, "interior-huge")) free((char *)malloc(50 << 20) + 4096);
  if (!strcmp(kind, "unaligned-small")) free((char *)malloc(48) + 1);
  if (!strcmp(kind, "unaligned-large")) free((char *)malloc(100000) + 8);
  if (!strcmp(kind, "before")) free((char *)malloc(48) - 16);
  if (!strcmp(kind, "past-end")) free((char *)malloc(3000) + (64 << 10));
  if (!strcmp(kind, "realloc-interior")) return realloc((char *)malloc(48) + 16, 100) != 0;
  if (!strcmp(kind, "interior-other-thread")) inThread((char *)malloc(48) + 16);
  if (!strcmp(kind, "overflow-large")) {
    char *p = malloc(100000);
    char *next = malloc(100000);
    memset(p, 0x41, 100000 + 40);
    free(p);
    free(next);
    next = malloc(120000);
    for (int i = 0; i < 40; i++) free(malloc(60000 + i * 9000));
  }
  return 0;
}
