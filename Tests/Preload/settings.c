// Prints the environment's settings: the policy, the quota in bytes, and whether the system calls this a secure program
// (AT_SECURE), which must ignore its environment.
#include <heaplab.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/auxv.h>

int main(void) {
  printf("%s ", heaplab_policy());
  if (heaplab_quota() == SIZE_MAX) printf("unlimited");
  else printf("%zu", heaplab_quota());
  printf(" %s\n", getauxval(AT_SECURE) ? "secure" : "ordinary");
  return 0;
}
