// fork in a program whose other threads allocate, use stdio and fork too: `forks COUNT`. Each child allocates and frees
// in a thread of its own as well, then ends; a child that does not within ten seconds is a deadlock.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int stop;

static void churn(unsigned seed, int count) {
  void *slots[64] = {0};
  for (int i = 0; i < count; i++) {
    seed = seed * 1103515245 + 12345;
    unsigned slot = (seed >> 8) % 64;
    free(slots[slot]);
    size_t size = 1 + (seed >> 12) % (i % 32 ? 2000 : 200000);
    slots[slot] = malloc(size);
    if (!slots[slot]) abort();
    memset(slots[slot], (int)seed, size < 100 ? size : 100);
  }
  for (int i = 0; i < 64; i++) free(slots[i]);
}

static void *churnForEver(void *argument) {
  while (!stop) churn((unsigned)(long)argument, 1000);
  return 0;
}

static void *useStdio(void *argument) {
  (void)argument;
  while (!stop) {
    FILE *file = fopen("/dev/null", "w");
    if (file) {
      fprintf(file, "%d %s\n", 1, "text");
      fclose(file);
    }
  }
  return 0;
}

static void *inChild(void *argument) {
  churn((unsigned)(long)argument, 2000);
  return 0;
}

int main(int count, char **arguments) {
  int forks = count > 1 ? atoi(arguments[1]) : 1000;
  pthread_t threads[4];
  for (long t = 0; t < 3; t++) pthread_create(&threads[t], 0, churnForEver, (void *)(t + 1));
  pthread_create(&threads[3], 0, useStdio, 0);
  for (int i = 0; i < forks; i++) {
    pid_t child = fork();
    if (child < 0) abort();
    if (child == 0) {
      alarm(10);
      churn((unsigned)i, 300);
      pthread_t thread;
      if (i % 8 == 0 && pthread_create(&thread, 0, inChild, (void *)(long)i) == 0) pthread_join(thread, 0);
      _exit(0);
    }
    int status = 0;
    churn((unsigned)i + 7, 50);
    if (waitpid(child, &status, 0) != child || status != 0) {
      fprintf(stderr, "fork %d: child ended with status %x\n", i, status);
      return 1;
    }
  }
  stop = 1;
  for (int t = 0; t < 4; t++) pthread_join(threads[t], 0);
  puts("ok");
  return 0;
}
