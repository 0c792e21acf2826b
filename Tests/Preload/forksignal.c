// fork in a signal handler that interrupted malloc or free: `forksignal COUNT`. Parent and child go on after it.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int forks, failures;

static void churn(unsigned seed, int count) {
  static void *slots[256];
  for (int i = 0; i < count; i++) {
    seed = seed * 1103515245 + 12345;
    unsigned slot = (seed >> 8) % 256;
    free(slots[slot]);
    slots[slot] = malloc(1 + (seed >> 12) % (i % 4 ? 500 : 100000));
    if (!slots[slot]) abort();
    *(char *)slots[slot] = 1;
  }
}

// The next signal, after a time that varies, so that it meets every instruction.
static void arm(void) {
  static unsigned seed = 1;
  seed = seed * 1103515245 + 12345;
  struct itimerval once = {{0, 0}, {0, 20 + (seed >> 16) % 200}};
  setitimer(ITIMER_REAL, &once, 0);
}

static void onSignal(int number) {
  (void)number;
  pid_t child = fork();
  if (child == 0) {
    signal(SIGALRM, SIG_DFL);
    struct itimerval limit = {{0, 0}, {10, 0}};
    setitimer(ITIMER_REAL, &limit, 0);
    void *block = malloc(100000);
    if (!block) _exit(3);
    memset(block, 1, 100000);
    free(block);
    forks = -1;  // The child goes on where the signal came.
    return;
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    failures++;
    if (failures == 1) dprintf(2, "fork %d: status %x\n", forks, status);
  }
  forks++;
  arm();
}

int main(int count, char **arguments) {
  int wanted = count > 1 ? atoi(arguments[1]) : 1000;
  signal(SIGALRM, onSignal);
  arm();
  for (unsigned seed = 1; forks >= 0 && forks < wanted; seed++) churn(seed, 100);
  if (forks < 0) {
    churn(99, 2000);
    _exit(0);
  }
  printf("%d forks, %d failures\n", forks, failures);
  return failures != 0;
}
