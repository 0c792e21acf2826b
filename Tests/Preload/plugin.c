// A plugin that allocates while it is loaded and unloaded.
#include <stdlib.h>
#include <string.h>

static char *kept;

__attribute__((constructor)) static void load(void) { kept = calloc(1, 5000); }

__attribute__((destructor)) static void unload(void) { free(kept); }

char *plugin_make(void) { return strdup("made by the plugin"); }

// Storage that the loader allocates for each thread on first touch.
static _Thread_local char local[30000];

char *plugin_local(void) {
  memset(local, 1, sizeof local);
  return local;
}
