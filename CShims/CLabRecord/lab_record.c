#define _GNU_SOURCE
#include "lab_record.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Any other model would call a function of the loader that may allocate.
#define LAB_HERE static _Thread_local __attribute__((tls_model("initial-exec")))

_Thread_local __attribute__((tls_model("initial-exec"))) struct lab_record_slot lab_record_slot_here;
uintptr_t lab_record_state_words[LAB_RECORD_STATE_WORD_COUNT];
uint64_t lab_record_owners[LAB_RECORD_OWNER_COUNT];

// ---- The next malloc ----

// dlsym may allocate. Until it has found the functions, the thread that looks for them gets blocks from here, which are
// never freed.
static _Alignas(64) unsigned char early[64 << 10];
static uintptr_t early_used;

static int is_early(uintptr_t block) { return block - (uintptr_t)early < sizeof early; }

static uintptr_t early_block(uintptr_t alignment, uintptr_t byte_count) {
  uintptr_t mask = (alignment > 16 ? alignment : 16) - 1;
  uintptr_t start = ((uintptr_t)early + early_used + 16 + mask) & ~mask;
  if (byte_count > sizeof early || start + byte_count > (uintptr_t)early + sizeof early) return 0;
  *(uintptr_t *)(start - 16) = byte_count;
  early_used = start + byte_count - (uintptr_t)early;
  return start;
}

LAB_HERE int is_finding;

// Finds the next malloc; the members of `lab_record_next` are then its own. Only those that may get an early block look
// for it first, where there is one.
static void find_next(void);

static uintptr_t first_malloc(uintptr_t byte_count) {
  if (is_finding) return early_block(16, byte_count);
  find_next();
  return lab_record_next.malloc(byte_count);
}
static uintptr_t first_calloc(uintptr_t count, uintptr_t byte_count) {
  if (is_finding) return early_block(16, count * byte_count);
  find_next();
  return lab_record_next.calloc(count, byte_count);
}
static uintptr_t first_aligned_alloc(uintptr_t alignment, uintptr_t byte_count) {
  if (is_finding) return early_block(alignment, byte_count);
  find_next();
  return lab_record_next.aligned_alloc(alignment, byte_count);
}
static uintptr_t first_memalign(uintptr_t alignment, uintptr_t byte_count) {
  if (is_finding) return early_block(alignment, byte_count);
  find_next();
  return lab_record_next.memalign(alignment, byte_count);
}
static int first_posix_memalign(uintptr_t *block, uintptr_t alignment, uintptr_t byte_count) {
  if (is_finding) return (*block = early_block(alignment, byte_count)) ? 0 : ENOMEM;
  find_next();
  return lab_record_next.posix_memalign(block, alignment, byte_count);
}
static uintptr_t first_valloc(uintptr_t byte_count) {
  find_next();
  return lab_record_next.valloc(byte_count);
}
static uintptr_t first_pvalloc(uintptr_t byte_count) {
  find_next();
  return lab_record_next.pvalloc(byte_count);
}

// The family's own functions, and the way out for early blocks, which it does not know.
static void (*next_free)(uintptr_t);
static uintptr_t (*next_realloc)(uintptr_t, uintptr_t);
static uintptr_t (*next_usable)(uintptr_t);

static void free_any(uintptr_t block) {
  if (!is_early(block) && next_free) next_free(block);
}
static uintptr_t realloc_any(uintptr_t block, uintptr_t byte_count) {
  if (!next_realloc) {
    if (is_finding) return early_block(16, byte_count);
    find_next();
  }
  if (!is_early(block)) return next_realloc(block, byte_count);
  uintptr_t moved = lab_record_next.malloc(byte_count);
  uintptr_t old = *(uintptr_t *)(block - 16);
  if (moved) memcpy((void *)moved, (const void *)block, old < byte_count ? old : byte_count);
  return moved;
}
static uintptr_t usable_any(uintptr_t block) {
  if (is_early(block)) return *(uintptr_t *)(block - 16);
  return next_usable ? next_usable(block) : 0;
}

struct lab_record_family lab_record_next = {
    first_malloc,   first_calloc,         realloc_any,  free_any,      first_aligned_alloc,
    first_memalign, first_posix_memalign, first_valloc, first_pvalloc, usable_any,
};

static int found_it, finds_it;

static void find_next(void) {
  int code = errno;
  // One thread finds them, and the others wait: once they are found, no early block is given out.
  // Acquiring pairs with the releases below: the waiting thread sees the functions.
  while (__atomic_exchange_n(&finds_it, 1, __ATOMIC_ACQUIRE)) syscall(SYS_sched_yield);
  if (found_it) {
    // Releasing pairs with the acquiring exchange above.
    __atomic_store_n(&finds_it, 0, __ATOMIC_RELEASE);
    errno = code;
    return;
  }
  is_finding = 1;
  struct lab_record_family found = lab_record_next;
  const struct {
    const char *name;
    void *place;
  } names[] = {
      {"malloc", &found.malloc},           {"calloc", &found.calloc},
      {"realloc", &next_realloc},          {"free", &next_free},
      {"aligned_alloc", &found.aligned_alloc}, {"memalign", &found.memalign},
      {"posix_memalign", &found.posix_memalign}, {"valloc", &found.valloc},
      {"pvalloc", &found.pvalloc},         {"malloc_usable_size", &next_usable},
  };
  for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
    void *function = dlsym(RTLD_NEXT, names[index].name);
    if (function) *(void **)names[index].place = function;
  }
  if (early_used == 0 && next_free && next_realloc && next_usable) {
    found.free = next_free;
    found.realloc = next_realloc;
    found.usable = next_usable;
  }
  lab_record_next = found;
  is_finding = 0;
  found_it = 1;
  // Releasing pairs with the acquiring exchange above.
  __atomic_store_n(&finds_it, 0, __ATOMIC_RELEASE);
  errno = code;
}

// ---- The process ----

static uintptr_t off;
uintptr_t *lab_record_word = &off;

int lab_record_make_word(void) {
  if (lab_record_word != &off) return 0;
  long size = sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  if (madvise(page, (size_t)size, MADV_WIPEONFORK) != 0) {
    int code = errno;
    munmap(page, (size_t)size);
    return code;
  }
  lab_record_word = page;
  return 0;
}

uint64_t lab_record_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uintptr_t lab_record_process(void) { return (uintptr_t)getpid(); }
uintptr_t lab_record_parent(void) { return (uintptr_t)getppid(); }

LAB_HERE sigset_t mask;
LAB_HERE int code_before;

void lab_record_block(void) {
  code_before = errno;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &mask);
}
void lab_record_unblock(void) {
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  errno = code_before;
}

// ---- The file: opened by its name each time, because programs close descriptors that they did not open ----

// libc's functions for these are points at which a thread can be cancelled; malloc must not be one.
static int open_file(const char *name, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, name, flags | O_CLOEXEC, 0644); }
static void close_file(int file) { syscall(SYS_close, file); }

static char path[PATH_MAX];

int lab_record_create(const char *variable) {
  if (!environ) return EAGAIN;
  const char *folder = secure_getenv(variable);
  if (!folder || *folder == 0) return ENOENT;
  for (unsigned number = 0; number < 10000; number++) {
    int length = snprintf(path, sizeof path, "%s/%d-%u.raw", folder, (int)getpid(), number);
    if (length < 0 || (size_t)length >= sizeof path) return ENAMETOOLONG;
    int file = open_file(path, O_RDWR | O_CREAT | O_EXCL);
    if (file >= 0) return close_file(file), 0;
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

// Gives a range of the file its blocks, by zeros where the file system cannot do it otherwise.
static int provide(int file, off_t offset, size_t byte_count) {
  if (syscall(SYS_fallocate, file, 0, offset, (off_t)byte_count) == 0) return 0;
  if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  static const char zeros[4096];
  for (size_t done = 0; done < byte_count;) {
    ssize_t written = syscall(SYS_pwrite64, file, zeros, sizeof zeros, offset + (off_t)done);
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) done += (size_t)written;
  }
  return 0;
}

int lab_record_map(uintptr_t offset, uintptr_t byte_count, uintptr_t *address) {
  int file = open_file(path, O_RDWR);
  if (file < 0) return errno;
  int code = provide(file, (off_t)offset, byte_count);
  if (code == 0) {
    void *start = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, (off_t)offset);
    if (start == MAP_FAILED) code = errno;
    *address = (uintptr_t)start;
  }
  close_file(file);
  return code;
}

int lab_record_write(uintptr_t offset, uintptr_t address, uintptr_t byte_count) {
  int file = open_file(path, O_RDWR);
  if (file < 0) return errno;
  int code = 0;
  for (uintptr_t done = 0; done < byte_count && code == 0;) {
    ssize_t written = syscall(SYS_pwrite64, file, address + done, byte_count - done, (off_t)(offset + done));
    if (written < 0 && errno != EINTR) code = errno;
    if (written == 0) code = ENOSPC;
    if (written > 0) done += (uintptr_t)written;
  }
  close_file(file);
  return code;
}

void lab_record_unmap(uintptr_t address, uintptr_t byte_count) { munmap((void *)address, byte_count); }

static uintptr_t read_all(const char *name, uintptr_t address, uintptr_t byte_count) {
  int file = open_file(name, O_RDONLY);
  if (file < 0) return 0;
  uintptr_t done = 0;
  while (done < byte_count) {
    ssize_t count = syscall(SYS_read, file, address + done, byte_count - done);
    if (count <= 0) break;
    done += (uintptr_t)count;
  }
  close_file(file);
  return done;
}

uintptr_t lab_record_read_command(uintptr_t address, uintptr_t byte_count) {
  return read_all("/proc/self/cmdline", address, byte_count);
}

static const char maps[] = "/proc/self/maps";

uintptr_t lab_record_maps_length(void) {
  int file = open_file(maps, O_RDONLY);
  if (file < 0) return 0;
  char piece[1024];
  uintptr_t length = 0;
  for (ssize_t count; (count = syscall(SYS_read, file, piece, sizeof piece)) > 0;) length += (uintptr_t)count;
  close_file(file);
  return length;
}
uintptr_t lab_record_read_maps(uintptr_t address, uintptr_t byte_count) { return read_all(maps, address, byte_count); }

uintptr_t lab_record_memory(uintptr_t byte_count) {
  void *start = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return start == MAP_FAILED ? 0 : (uintptr_t)start;
}

uintptr_t lab_record_number(const char *variable) {
  const char *text = environ ? secure_getenv(variable) : NULL;
  return text ? strtoul(text, NULL, 10) : 0;
}

static const uintptr_t no_beat;
const uintptr_t *lab_record_beat_word = &no_beat;

void lab_record_map_beat(const char *variable, const char *name) {
  const char *folder = secure_getenv(variable);
  char place[PATH_MAX];
  int length = snprintf(place, sizeof place, "%s/%s", folder ? folder : "", name);
  if (lab_record_beat_word != &no_beat || length < 0 || (size_t)length >= sizeof place) return;
  int file = open_file(place, O_RDONLY);
  if (file < 0) return;
  void *start = mmap(NULL, sizeof no_beat, PROT_READ, MAP_SHARED, file, 0);
  if (start != MAP_FAILED) lab_record_beat_word = start;
  close_file(file);
}

// ---- Call stacks ----

int (*lab_record_backtrace)(void **frames, int count);

// glibc's `_dl_find_object`, which takes no lock; found by name, because older libraries lack it.
struct found_object {
  unsigned long long flags;
  void *map_start, *map_end, *link_map, *frame_header;
  unsigned long long reserved[7];
};
static int (*find_object)(void *address, struct found_object *found);

uintptr_t lab_record_frame_header(uintptr_t address) {
  struct found_object found;
  return find_object && find_object((void *)address, &found) == 0 ? (uintptr_t)found.frame_header : 0;
}

// Loaded here and not at the first call: that may come from the loader, in the middle of another library.
__attribute__((constructor)) static void load_unwinder(void) {
  if (lab_record_number("HEAPLAB_RECORD_STACKS") == 0) return;
  void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
  int (*found)(void **, int) = NULL;
  if (library) *(void **)&found = dlsym(library, "unw_backtrace");
  *(void **)&find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
  void *frame;
  // Its first call sets up what later ones use.
  if (found && found(&frame, 1) >= 0) lab_record_backtrace = found;
}

static int read_changes(struct dl_phdr_info *info, size_t byte_count, void *changes) {
  (void)byte_count;
  *(uintptr_t *)changes = (uintptr_t)(info->dlpi_adds + info->dlpi_subs);
  return 1;
}
uintptr_t lab_record_module_changes(void) {
  uintptr_t changes = 0;
  dl_iterate_phdr(read_changes, &changes);
  return changes;
}

// ---- Samples ----

static _Alignas(64) uintptr_t samples[LAB_RECORD_SAMPLE_SET_COUNT][8];

static uintptr_t *sample_set(uintptr_t block) {
  return samples[((block >> 4) * 0x9E3779B97F4A7C15u) >> 47];
}
// Relaxed, as for the owners' words.
int lab_record_sample_insert(uintptr_t block) {
  uintptr_t *set = sample_set(block);
  for (int index = 0; index < 8; index++) {
    uintptr_t none = 0;
    if (__atomic_compare_exchange_n(&set[index], &none, block, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return 1;
  }
  return 0;
}
int lab_record_sample_remove(uintptr_t block) {
  uintptr_t *set = sample_set(block);
  for (int index = 0; index < 8; index++) {
    if (__atomic_load_n(&set[index], __ATOMIC_RELAXED) != block) continue;
    __atomic_store_n(&set[index], 0, __ATOMIC_RELAXED);
    return 1;
  }
  return 0;
}

// ---- The end of a thread ----

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void (*_Atomic thread_end)(void);
static int has_key;

static void call_body(void *unused) {
  (void)unused;
  void (*body)(void) = thread_end;
  if (body) body();
}
static void make_key(void) { has_key = pthread_key_create(&key, call_body) == 0; }

void lab_record_at_thread_end(void (*body)(void)) {
  thread_end = body;
  pthread_once(&once, make_key);
  if (has_key) pthread_setspecific(key, (void *)1);
}
