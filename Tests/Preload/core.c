// Holds some heap, and lets a debugger write a core dump of it: core DEBUGGER FILE.
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "expect.h"

int main(int argc, char **argv) {
  EXPECT(argc == 3);
  // Put together here: the core must not have the words from the program's own text.
  for (int i = 0; i < 1000; i++) {
    char *block = opaque(malloc(1000));
    EXPECT(block != NULL);
    snprintf(block, 1000, "what the %s", "heap holds");
  }
  char process[32], command[4200];
  snprintf(process, sizeof process, "%d", (int)getpid());
  EXPECT(snprintf(command, sizeof command, "generate-core-file %s", argv[2]) < (int)sizeof command);
  pid_t child = fork();
  if (child == 0) {
    unsetenv("LD_PRELOAD");
    execlp(argv[1], argv[1], "-p", process, "-batch", "-ex", command, NULL);
    _exit(1);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
  return 0;
}
