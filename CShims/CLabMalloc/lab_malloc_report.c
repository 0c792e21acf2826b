#define _GNU_SOURCE
#include "lab_malloc.h"

#if defined(__linux__)

// The parts that need C's own types: structs by value, a FILE, and the environment. They format into buffers on the
// stack and never allocate.

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

const char *lab_malloc_environment(const char *name) {
  if (environ == 0 || getauxval(AT_SECURE) != 0) return 0;
  size_t length = strlen(name);
  for (char **entry = environ; *entry != 0; entry++)
    if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return *entry + length + 1;
  return 0;
}

const char *lab_malloc_environment_next(uintptr_t *position) {
  static const char prefix[] = "HEAPLAB_";
  if (environ == 0 || getauxval(AT_SECURE) != 0) return 0;
  for (char *entry; (entry = environ[*position]) != 0;) {
    ++*position;
    if (strncmp(entry, prefix, sizeof prefix - 1) == 0) return entry;
  }
  return 0;
}

// Not write(2): that is a cancellation point, and no function of the malloc family may be one.
void lab_malloc_warn(const char *text, uintptr_t length) {
  int saved = errno;
  while (length > 0) {
    long written = syscall(SYS_write, STDERR_FILENO, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    text += written;
    length -= (uintptr_t)written;
  }
  errno = saved;
}

void lab_malloc_at_exit(void (*body)(void)) { atexit(body); }

const char *heaplab_version(void) { return HEAPLAB_VERSION; }

int lab_malloc_check_options(const struct heaplab_heap_options *options, unsigned *flags) {
  const unsigned known = HEAPLAB_HEAP_PIN | HEAPLAB_HEAP_NODE | HEAPLAB_HEAP_THP | HEAPLAB_HEAP_2M;
  if (options == 0 || options->options_size < sizeof *options || (options->flags & ~known) != 0) return EINVAL;
  // What a newer header added must be 0, or is not understood here.
  const unsigned char *bytes = (const unsigned char *)options;
  for (size_t index = sizeof *options; index < options->options_size; index++)
    if (bytes[index] != 0) return EINVAL;
  if ((options->flags & HEAPLAB_HEAP_THP) != 0 && (options->flags & HEAPLAB_HEAP_2M) != 0) return EINVAL;
  *flags = options->flags;
  return 0;
}

void lab_malloc_copy_statistics(const struct heaplab_statistics *statistics, void *to, uintptr_t byte_count) {
  memset(to, 0, byte_count);
  memcpy(to, statistics, byte_count < sizeof *statistics ? byte_count : sizeof *statistics);
}

void lab_malloc_report(const struct heaplab_statistics *now, uintptr_t transparent_byte_count) {
  char text[512];
  int length = snprintf(text, sizeof text,
                        "heaplab: committed %zu live %zu free %zu mapped %zu (%zu) bytes; %zu heaps, %zu spans, arenas %zu bytes",
                        now->committed_byte_count, now->live_byte_count, now->free_byte_count, now->mapped_byte_count,
                        now->mapped_count, now->heap_count, now->span_count, now->arena_byte_count);
  if (now->pinned_byte_count != 0)
    length += snprintf(text + length, sizeof text - (size_t)length, ", pinned %zu bytes", now->pinned_byte_count);
  if (now->huge_byte_count != 0)
    length += snprintf(text + length, sizeof text - (size_t)length, ", on huge pages %zu", now->huge_byte_count);
  if (transparent_byte_count != 0)
    length +=
        snprintf(text + length, sizeof text - (size_t)length, ", on transparent ones %zu", (size_t)transparent_byte_count);
  text[length++] = '\n';
  lab_malloc_warn(text, (size_t)length);
}

struct mallinfo2 lab_malloc_mallinfo2(const struct heaplab_statistics *now) {
  struct mallinfo2 info = {0};
  info.arena = now->committed_byte_count;
  info.hblks = now->mapped_count;
  info.hblkhd = now->mapped_byte_count;
  info.uordblks = now->live_byte_count - now->mapped_byte_count;
  info.fordblks = now->free_byte_count;
  info.ordblks = now->span_count;
  return info;
}

struct mallinfo lab_malloc_mallinfo(const struct heaplab_statistics *now) {
  struct mallinfo2 wide = lab_malloc_mallinfo2(now);
  struct mallinfo info = {0};
  info.arena = (int)wide.arena;
  info.hblks = (int)wide.hblks;
  info.hblkhd = (int)wide.hblkhd;
  info.uordblks = (int)wide.uordblks;
  info.fordblks = (int)wide.fordblks;
  info.ordblks = (int)wide.ordblks;
  return info;
}

int lab_malloc_write_info(const struct heaplab_statistics *now, FILE *stream) {
  char text[1024];
  snprintf(text, sizeof text,
           "<malloc version=\"heaplab-" HEAPLAB_VERSION "\">\n"
           "<heap nr=\"0\">\n"
           "<total type=\"live\" size=\"%zu\"/>\n"
           "<total type=\"rest\" size=\"%zu\"/>\n"
           "<system type=\"current\" size=\"%zu\"/>\n"
           "<total type=\"arena\" size=\"%zu\"/>\n"
           "<total type=\"spans\" count=\"%zu\"/>\n"
           "</heap>\n"
           "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
           "</malloc>\n",
           now->live_byte_count, now->free_byte_count, now->committed_byte_count, now->arena_byte_count,
           now->span_count, now->mapped_count, now->mapped_byte_count);
  return fputs(text, stream) < 0 ? -1 : 0;
}

#endif
