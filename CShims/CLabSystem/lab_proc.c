#define _GNU_SOURCE
#include "lab_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// System calls and not libc's functions, which are cancellation points: functions of the malloc family call these here.

int lab_lines_open(struct lab_lines *lines, const char *path) {
  int saved = errno;
  lines->file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  lines->start = lines->end = 0;
  int code = lines->file < 0 ? errno : 0;
  errno = saved;
  return code;
}

char *lab_lines_next(struct lab_lines *lines) {
  int saved = errno;
  for (;;) {
    char *start = lines->buffer + lines->start;
    size_t length = lines->end - lines->start;
    char *newline = memchr(start, '\n', length);
    if (newline != NULL) {
      *newline = '\0';
      lines->start = (size_t)(newline + 1 - lines->buffer);
      return start;
    }
    // No whole line is left: move the rest to the front and read on after it.
    memmove(lines->buffer, start, length);
    lines->start = 0;
    lines->end = length;
    size_t room = sizeof lines->buffer - 1 - length;
    ssize_t count;
    do {
      count = room > 0 ? syscall(SYS_read, lines->file, lines->buffer + length, room) : 0;
    } while (count < 0 && errno == EINTR);
    errno = saved;
    if (count <= 0) {
      // The last line lacks its newline, or the line is longer than the buffer.
      if (length == 0) return NULL;
      lines->buffer[length] = '\0';
      lines->end = 0;
      return lines->buffer;
    }
    lines->end += (size_t)count;
  }
}

void lab_lines_close(struct lab_lines *lines) {
  int saved = errno;
  syscall(SYS_close, lines->file);
  errno = saved;
}

bool lab_proc_number(const char **text, unsigned base, uint64_t *number) {
  const char *cursor = *text;
  while (*cursor == ' ' || *cursor == '\t') cursor++;
  uint64_t value = 0;
  const char *first = cursor;
  for (;; cursor++) {
    unsigned digit = 99;
    if (*cursor >= '0' && *cursor <= '9') digit = (unsigned)(*cursor - '0');
    if (*cursor >= 'a' && *cursor <= 'f') digit = (unsigned)(*cursor - 'a') + 10;
    if (digit >= base) break;
    value = value * base + digit;
  }
  *text = cursor;
  if (cursor == first) return false;
  *number = value;
  return true;
}
