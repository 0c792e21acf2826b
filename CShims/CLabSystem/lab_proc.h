// Reads files of /proc and /sys line by line, without allocating.
//
// Questions about the process go to /proc/thread-self. /proc/self is the main thread, which may have ended
// (`dispatch_main` ends it), and privileges belong to threads.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A file that is read line by line. A line that does not fit the buffer is cut into several.
struct lab_lines {
  int file;
  size_t start, end;
  char buffer[4096];
};

/// Opens a file. After success the caller closes it with `lab_lines_close`.
int lab_lines_open(struct lab_lines *lines, const char *path);

/// The next line, with a NUL in place of its newline; NULL after the last line.
char *lab_lines_next(struct lab_lines *lines);

/// Closes the file.
void lab_lines_close(struct lab_lines *lines);

/// Reads a number in `base` (10 or 16) behind blanks and moves `*text` past it. Returns false when there is none.
bool lab_proc_number(const char **text, unsigned base, uint64_t *number);
