#define _GNU_SOURCE
#include "lab_driver.h"

#include <dlfcn.h>
#include <spawn.h>

extern char **environ;

int lab_program_start(char *const *arguments, pid_t *process) {
  posix_spawn_file_actions_t actions;
  int code = posix_spawn_file_actions_init(&actions);
  if (code != 0) return code;
  code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (code == 0) code = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (code == 0) code = posix_spawnp(process, arguments[0], &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

// A function by its name, if it lies in the same library as malloc.
static void *beside_malloc(const char *name) {
  void *function = dlsym(RTLD_DEFAULT, name);
  Dl_info own, malloc_info;
  if (!function || !dladdr(function, &own) || !dladdr(dlsym(RTLD_DEFAULT, "malloc"), &malloc_info)) return NULL;
  return own.dli_fbase == malloc_info.dli_fbase ? function : NULL;
}

struct lab_malloc_extensions lab_malloc_extensions_find(void) {
  struct lab_malloc_extensions found;
  void *sized = beside_malloc("free_sized");
  if (!sized) sized = beside_malloc("_ZdlPvm");
  found.deallocate_sized = (void (*)(void *, size_t))sized;
  found.deallocate = free;
  found.usable_byte_count = (size_t (*)(void *))beside_malloc("malloc_usable_size");
  return found;
}

void lab_malloc_trim(void) {
  int (*trim)(size_t) = (int (*)(size_t))dlsym(RTLD_DEFAULT, "malloc_trim");
  if (trim) trim(0);
}
