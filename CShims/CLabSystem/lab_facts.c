#define _GNU_SOURCE
#include "lab_facts.h"

#include "lab_proc.h"
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

uintptr_t lab_facts_page_size(void) {
  // Any thread may store it first; all store the same.
  static uintptr_t page_size;
  uintptr_t known = __atomic_load_n(&page_size, __ATOMIC_RELAXED);
  if (known == 0) __atomic_store_n(&page_size, known = (uintptr_t)sysconf(_SC_PAGESIZE), __ATOMIC_RELAXED);
  return known;
}

uintptr_t lab_facts_mapping(void) {
  uintptr_t loader = getauxval(AT_BASE);
  return loader != 0 ? loader : getauxval(AT_RANDOM);
}

static int soft_limit(int resource, uint64_t *byte_count) {
  struct rlimit limit;
  int saved = errno;
  int code = getrlimit(resource, &limit) < 0 ? errno : 0;
  errno = saved;
  if (code == 0) *byte_count = limit.rlim_cur == RLIM_INFINITY ? LAB_FACTS_UNLIMITED : limit.rlim_cur;
  return code;
}

int lab_facts_pin_limit(uint64_t *byte_count) { return soft_limit(RLIMIT_MEMLOCK, byte_count); }

int lab_facts_address_space_limit(uint64_t *byte_count) { return soft_limit(RLIMIT_AS, byte_count); }

/// Reads the numbers of two fields of the thread's status, which are named `first` and `second`.
static int status_fields(
    const char *first, unsigned first_base, uint64_t *first_number, const char *second, unsigned second_base,
    uint64_t *second_number) {
  struct lab_lines lines;
  int code = lab_lines_open(&lines, "/proc/thread-self/status");
  if (code != 0) return code;
  int found = 0;
  for (char *line; (line = lab_lines_next(&lines)) != NULL;) {
    size_t first_length = strlen(first), second_length = strlen(second);
    const char *cursor;
    if (strncmp(line, first, first_length) == 0) {
      cursor = line + first_length;
      found += lab_proc_number(&cursor, first_base, first_number);
    } else if (strncmp(line, second, second_length) == 0) {
      cursor = line + second_length;
      found += lab_proc_number(&cursor, second_base, second_number);
    }
  }
  lab_lines_close(&lines);
  return found == 2 ? 0 : ENODATA;
}

int lab_facts_pinned(uint64_t *byte_count, bool *exempt) {
  // CAP_IPC_LOCK is bit 14 of the effective capabilities.
  uint64_t kibibytes, capabilities;
  int code = status_fields("VmLck:", 10, &kibibytes, "CapEff:", 16, &capabilities);
  if (code != 0) return code;
  *byte_count = kibibytes * 1024;
  *exempt = (capabilities >> 14) & 1;
  return 0;
}

int lab_facts_address_space(uint64_t *byte_count) {
  uint64_t kibibytes, peak;
  int code = status_fields("VmSize:", 10, &kibibytes, "VmPeak:", 10, &peak);
  if (code == 0) *byte_count = kibibytes * 1024;
  return code;
}

/// Reads the one number in the file `name` of `directory`, which ends with a slash.
static int file_number(const char *directory, const char *name, uint64_t *number) {
  char path[128];
  size_t directory_length = strlen(directory), name_length = strlen(name);
  if (directory_length + name_length >= sizeof path) return ENAMETOOLONG;
  memcpy(path, directory, directory_length);
  memcpy(path + directory_length, name, name_length + 1);
  struct lab_lines lines;
  int code = lab_lines_open(&lines, path);
  if (code != 0) return code;
  const char *line = lab_lines_next(&lines);
  code = line != NULL && lab_proc_number(&line, 10, number) ? 0 : ENODATA;
  lab_lines_close(&lines);
  return code;
}

int lab_facts_huge_pages(unsigned page_shift, uint64_t *total_count, uint64_t *free_count) {
  const char *directory;
  switch (page_shift) {
    case 21: directory = "/sys/kernel/mm/hugepages/hugepages-2048kB/"; break;
    case 30: directory = "/sys/kernel/mm/hugepages/hugepages-1048576kB/"; break;
    default: return ENOENT;
  }
  uint64_t total, unused, promised;
  int code = file_number(directory, "nr_hugepages", &total);
  if (code == 0) code = file_number(directory, "free_hugepages", &unused);
  if (code == 0) code = file_number(directory, "resv_hugepages", &promised);
  if (code != 0) return code;
  *total_count = total;
  *free_count = unused > promised ? unused - promised : 0;
  return 0;
}

const char *lab_facts_error_text(int code) {
  const char *text = strerrordesc_np(code);
  return text != NULL ? text : "unknown error";
}
