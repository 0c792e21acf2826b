// Files of /proc and /sys, line by line, without allocating.
//
// /proc/self is the main thread, which may have ended (`dispatch_main` ends it), and privileges belong to threads: those
// who ask about the process look into /proc/thread-self.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A file that is read line by line. A line that does not fit the buffer is cut.
struct lab_lines {
  int file;
  size_t start, end;
  char buffer[4096];
};

/// Opens a file; the caller closes it with `lab_lines_close` after success.
int lab_lines_open(struct lab_lines *lines, const char *path);

/// The next line, ended by a NUL in place of its newline, or NULL after the last.
char *lab_lines_next(struct lab_lines *lines);

void lab_lines_close(struct lab_lines *lines);

/// Reads a number in `base` (10 or 16) and moves `*text` behind it; false when there is none.
bool lab_proc_number(const char **text, unsigned base, uint64_t *number);
