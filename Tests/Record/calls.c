// Makes calls of one kind and checks its own results; scripts/test-record runs it recorded and unrecorded.
//
//   calls threads | forks | exec | dlopen LIBRARY | signals | exit | kill | churn | family | marks | endless
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { block_count = 1000 };

static void check(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "calls: %s\n", what);
  abort();
}

static void *volatile handed[block_count];

static void *produce(void *unused) {
  for (int round = 0; round < 200; round++) {
    for (int index = 0; index < block_count; index++) {
      char *block = malloc((size_t)(16 + index % 300));
      block[0] = (char)index;
      while (__atomic_load_n(&handed[index], __ATOMIC_ACQUIRE)) sched_yield();
      __atomic_store_n(&handed[index], block, __ATOMIC_RELEASE);
    }
  }
  return unused;
}

static void *consume(void *unused) {
  for (int round = 0; round < 200; round++) {
    for (int index = 0; index < block_count; index++) {
      char *block;
      while (!(block = __atomic_load_n(&handed[index], __ATOMIC_ACQUIRE))) sched_yield();
      __atomic_store_n(&handed[index], NULL, __ATOMIC_RELEASE);
      check(block[0] == (char)index, "a block lost its content");
      free(block);
    }
  }
  return unused;
}

static void threads(void) {
  pthread_t both[2];
  pthread_create(&both[0], NULL, produce, NULL);
  pthread_create(&both[1], NULL, consume, NULL);
  for (int index = 0; index < 2; index++) pthread_join(both[index], NULL);
}

static void *little(void *unused) {
  free(malloc(100));
  return unused;
}

static void churn(void) {
  for (int index = 0; index < 2000; index++) {
    pthread_t thread;
    check(pthread_create(&thread, NULL, little, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
  }
}

static void forks(void) {
  void *inherited = malloc(64);
  for (int index = 0; index < 3; index++) {
    pid_t child = fork();
    if (child == 0) {
      free(inherited);
      for (int round = 0; round < 1000; round++) free(malloc(32));
      _exit(0);
    }
    int status;
    check(waitpid(child, &status, 0) == child && status == 0, "a child failed");
  }
  free(inherited);
}

static volatile int handled;
static void handle(int unused) {
  (void)unused;
  free(malloc(48));
  handled++;
}

static void signals(void) {
  signal(SIGALRM, handle);
  ualarm(200, 200);
  // The calls are in an allocator that need not be safe in a handler; this loop is interrupted in the recorder alone, or
  // in its own code, when it blocks the signal around each call.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  for (int round = 0; round < 200000 || handled < 50; round++) {
    sigprocmask(SIG_BLOCK, &set, NULL);
    void *block = malloc(24);
    free(block);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
  }
  ualarm(0, 0);
}

static void family(void) {
  void *block = NULL;
  check(posix_memalign(&block, 256, 1000) == 0 && (uintptr_t)block % 256 == 0, "posix_memalign");
  free(block);
  block = aligned_alloc(4096, 8192);
  check((uintptr_t)block % 4096 == 0, "aligned_alloc");
  free(block);
  free(memalign(64, 10));
  free(valloc(10));
  free(pvalloc(10));
  char *zeros = calloc(1000, 1000);
  for (int index = 0; index < 1000000; index++) check(zeros[index] == 0, "calloc");
  char *grown = realloc(NULL, 10);
  strcpy(grown, "content");
  for (size_t size = 20; size < 50000000; size *= 7) {
    grown = realloc(grown, size);
    check(strcmp(grown, "content") == 0, "realloc");
  }
  errno = 0;
  check(realloc(grown, SIZE_MAX / 2) == NULL && errno == ENOMEM, "a realloc of half of all memory");
  check(reallocarray(grown, SIZE_MAX / 2, 3) == NULL && errno == ENOMEM, "a reallocarray that overflows");
  check(strcmp(grown, "content") == 0, "a realloc that failed");
  free(grown);
  free(zeros);
  free(malloc((size_t)3 << 30));
  errno = 7;
  free(malloc(5));
  check(errno == 7, "errno");
  check(calloc(SIZE_MAX, 2) == NULL, "a calloc that overflows");
}

static void marks(void) {
  void (*mark)(const char *) = (void (*)(const char *))dlsym(RTLD_DEFAULT, "heaplab_mark");
  free(malloc(10));
  if (mark) mark("first phase");
  free(malloc(20));
  if (mark) mark("second");
}

int main(int count, char **words) {
  const char *kind = count > 1 ? words[1] : "";
  if (strcmp(kind, "threads") == 0) threads();
  if (strcmp(kind, "churn") == 0) churn();
  if (strcmp(kind, "forks") == 0) forks();
  if (strcmp(kind, "signals") == 0) signals();
  if (strcmp(kind, "family") == 0) family();
  if (strcmp(kind, "marks") == 0) marks();
  if (strcmp(kind, "exec") == 0) execl(words[0], words[0], "family", (char *)NULL);
  if (strcmp(kind, "dlopen") == 0) check(dlopen(words[2], RTLD_NOW) != NULL, "dlopen");
  if (strcmp(kind, "exit") == 0) {
    (void)!malloc(77);
    _exit(3);
  }
  if (strcmp(kind, "kill") == 0) {
    for (int index = 0; index < 100000; index++) free(malloc(33));
    kill(getpid(), SIGKILL);
  }
  if (strcmp(kind, "endless") == 0) {
    for (unsigned index = 0;; index++) free(malloc(16 + index % 512));
  }
  if (strcmp(kind, "much") == 0) {
    for (unsigned index = 0; index < 3000000; index++) free(malloc(16 + index % 512));
  }
  puts("done");
  return 0;
}
