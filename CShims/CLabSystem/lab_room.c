#include "lab_facts.h"

#include "lab_proc.h"
#include <errno.h>
#include <string.h>

// How much memory there is to take. Limits of control groups count at every level: the process's own group, and those
// around it. Their file caches count as room: the kernel gives them up first.

/// The number behind `field` in a file of lines "field number"; false when there is none.
static bool field_number(const char *path, const char *field, uint64_t *number) {
  struct lab_lines lines;
  if (lab_lines_open(&lines, path) != 0) return false;
  size_t length = strlen(field);
  bool found = false;
  for (char *line; !found && (line = lab_lines_next(&lines)) != NULL;) {
    const char *cursor = line + length;
    found = strncmp(line, field, length) == 0 && lab_proc_number(&cursor, 10, number);
  }
  lab_lines_close(&lines);
  return found;
}

/// The path of a control group's folder, and how its files are called.
struct group {
  char path[512];
  size_t length, root_length;
  const char *limit, *use, *cache;
};

/// The number behind `field` in a file of the group.
static bool group_number(struct group *group, const char *name, const char *field, uint64_t *number) {
  size_t name_length = strlen(name);
  if (group->length + name_length + 2 > sizeof group->path) return false;
  group->path[group->length] = '/';
  memcpy(group->path + group->length + 1, name, name_length + 1);
  bool found = field_number(group->path, field, number);
  group->path[group->length] = '\0';
  return found;
}

/// Lowers `room` to what the group and those around it allow.
static void apply_groups(struct group *group, uint64_t *room, bool *is_of_group) {
  for (;;) {
    uint64_t limit, use, cache = 0;
    // A group without a limit has the word "max" there.
    if (group_number(group, group->limit, "", &limit) && group_number(group, group->use, "", &use)) {
      group_number(group, "memory.stat", group->cache, &cache);
      uint64_t used = use > cache ? use - cache : 0, left = limit > used ? limit - used : 0;
      if (left < *room) *room = left, *is_of_group = true;
    }
    if (group->length <= group->root_length) return;
    while (group->length > group->root_length && group->path[--group->length] != '/') {}
    group->path[group->length] = '\0';
  }
}

/// Makes a group of the line "NUMBER:CONTROLLERS:PATH"; false when it is none with a limit on memory.
static bool parse_group(const char *line, struct group *group) {
  const char *controllers = strchr(line, ':');
  const char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
  if (path == NULL) return false;
  const char *root;
  if (strncmp(controllers, "::", 2) == 0) {
    root = "/sys/fs/cgroup";
    group->limit = "memory.max", group->use = "memory.current", group->cache = "inactive_file";
  } else if (strncmp(controllers, ":memory:", 8) == 0) {
    root = "/sys/fs/cgroup/memory";
    group->limit = "memory.limit_in_bytes", group->use = "memory.usage_in_bytes", group->cache = "total_inactive_file";
  } else {
    return false;
  }
  size_t length = strlen(++path);
  if (length == 1) length = 0;
  group->root_length = strlen(root);
  group->length = group->root_length + length;
  if (group->length >= sizeof group->path) return false;
  memcpy(group->path, root, group->root_length);
  memcpy(group->path + group->root_length, path, length);
  group->path[group->length] = '\0';
  return true;
}

int lab_facts_memory_room(uint64_t *byte_count, bool *is_of_group) {
  uint64_t kibibytes;
  if (!field_number("/proc/meminfo", "MemAvailable:", &kibibytes)) return ENODATA;
  *byte_count = kibibytes * 1024;
  *is_of_group = false;
  struct lab_lines lines;
  if (lab_lines_open(&lines, "/proc/thread-self/cgroup") != 0) return 0;
  for (char *line; (line = lab_lines_next(&lines)) != NULL;) {
    struct group group;
    if (parse_group(line, &group)) apply_groups(&group, byte_count, is_of_group);
  }
  lab_lines_close(&lines);
  return 0;
}
