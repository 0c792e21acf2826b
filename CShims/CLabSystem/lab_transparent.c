#include "lab_region.h"

#include "lab_proc.h"
#include <string.h>

int lab_region_transparent(void *address, uintptr_t byte_count, uintptr_t *huge_byte_count) {
  struct lab_lines lines;
  int code = lab_lines_open(&lines, "/proc/thread-self/smaps");
  if (code != 0) return code;
  uint64_t start = (uint64_t)(uintptr_t)address, end = start + byte_count;
  uint64_t sum = 0;
  bool is_inside = false;
  static const char field[] = "AnonHugePages:";
  for (char *line; (line = lab_lines_next(&lines)) != NULL;) {
    // A mapping begins with a line "START-END ..." in lower-case hexadecimal.
    const char *cursor = line;
    uint64_t first, last, kibibytes;
    if (strncmp(line, field, sizeof field - 1) == 0) {
      cursor = line + sizeof field - 1;
      if (is_inside && lab_proc_number(&cursor, 10, &kibibytes)) sum += kibibytes * 1024;
    } else if (lab_proc_number(&cursor, 16, &first) && *cursor++ == '-' && lab_proc_number(&cursor, 16, &last)) {
      is_inside = first < end && start < last;
    }
  }
  lab_lines_close(&lines);
  *huge_byte_count = (uintptr_t)sum;
  return 0;
}
