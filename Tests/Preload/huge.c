// A heap on huge pages (HEAPLAB_HUGE).
//
//   huge explicit BYTES   at least so many bytes are on explicit huge pages, whose content is the program's
//   huge thp BYTES        at least so many bytes of the heap are on transparent ones
//   huge small            nothing is
//   huge fork             a child of fork goes on while the pool has pages
#define _GNU_SOURCE
#include "expect.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <heaplab.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

static struct heaplab_statistics statistics(void) {
  struct heaplab_statistics now;
  void (*read_statistics)(struct heaplab_statistics *, size_t) = dlsym(RTLD_DEFAULT, "heaplab_read_statistics");
  EXPECT(read_statistics != NULL);
  read_statistics(&now, sizeof now);
  return now;
}

/// The sum of the numbers behind `field` in /proc/self/smaps, in bytes; of the heap's mappings only for AnonHugePages.
static size_t smaps(const char *field) {
  static char text[1 << 20];
  int file = open("/proc/self/smaps", O_RDONLY);
  size_t length = 0, sum = 0;
  for (ssize_t count; (count = read(file, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)count;
  close(file);
  text[length] = 0;
  for (char *found = text; (found = strstr(found, field)) != NULL; found++) sum += strtoul(found + strlen(field), NULL, 10) * 1024;
  return sum;
}

enum { BLOCKS = 4000 };
static unsigned char *blocks[BLOCKS];

static void fill(void) {
  for (int i = 0; i < BLOCKS; i++) {
    size_t size = 1 + (size_t)i * 7919 % 30000;
    blocks[i] = malloc(size);
    EXPECT(blocks[i] != NULL);
    memset(blocks[i], i & 255, size);
  }
}

static void check_and_free(void) {
  for (int i = 0; i < BLOCKS; i++) {
    size_t size = 1 + (size_t)i * 7919 % 30000;
    EXPECT(blocks[i][0] == (i & 255) && blocks[i][size - 1] == (i & 255));
    free(blocks[i]);
  }
}

int main(int count, char **arguments) {
  EXPECT(count >= 2);
  const char *situation = arguments[1];
  size_t byte_count = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
  fill();
  if (strcmp(situation, "explicit") == 0) {
    EXPECT(statistics().huge_byte_count >= byte_count);
    EXPECT(smaps("Private_Hugetlb:") >= statistics().huge_byte_count);
  } else if (strcmp(situation, "thp") == 0) {
    if (smaps("AnonHugePages:") < byte_count) return 77;
    EXPECT(statistics().huge_byte_count == 0);
  } else if (strcmp(situation, "small") == 0) {
    EXPECT(smaps("AnonHugePages:") == 0 && statistics().huge_byte_count == 0);
  } else if (strcmp(situation, "fork") == 0) {
    pid_t process = fork();
    EXPECT(process >= 0);
    if (process == 0) {
      check_and_free();
      fill();
      check_and_free();
      _exit(0);
    }
    int status;
    EXPECT(waitpid(process, &status, 0) == process && status == 0);
  } else EXPECT(!"a situation");
  check_and_free();
  fill();
  check_and_free();
  return 0;
}
