// Allocation at the edges of a program's life: before any constructor, in the loader, in static constructors and
// destructors, atexit, thread-local destructors, plugins, and every form of operator new.
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"

namespace {

char *before_constructors;

/// Runs before the constructors of every library, the preload's own and libc's among them.
void allocate_first() {
  before_constructors = static_cast<char *>(std::malloc(100));
  if (before_constructors) std::memset(before_constructors, 7, 100);
  std::free(std::malloc(3 << 20));
}
__attribute__((section(".preinit_array"), used)) void (*const first)() = allocate_first;

/// Allocates on construction and frees on destruction, whenever that is.
struct Holder {
  std::vector<std::string> lines;
  explicit Holder(int count) {
    for (int i = 0; i < count; i++) lines.push_back(std::string(static_cast<size_t>(i) * 7 % 500, 'x'));
  }
  ~Holder() {
    for (size_t i = 0; i < lines.size(); i++) EXPECT(lines[i].size() == i * 7 % 500);
  }
};

Holder before_main(200);
thread_local Holder in_thread(100);

pthread_key_t key;

void end_of_key(void *value) {
  std::free(value);
  // A destructor that allocates again, and leaves something for the next round of destructors.
  static thread_local int round = 0;
  if (++round < 3) pthread_setspecific(key, std::malloc(300));
}

void at_exit() {
  void *block = opaque(std::malloc(1000));
  EXPECT(block != nullptr);
  std::memset(block, 1, 1000);
  std::free(block);
}

struct alignas(256) Wide {
  char bytes[512];
};

template <typename T>
bool is_aligned(T *pointer, size_t alignment) {
  return (reinterpret_cast<uintptr_t>(pointer) & (alignment - 1)) == 0;
}

template <typename T>
T *opaque_cast(T *pointer) {
  return static_cast<T *>(opaque(pointer));
}

void every_new() {
  delete opaque_cast(new int(1));
  delete[] opaque_cast(new char[1000]);
  auto *nothrow = new (std::nothrow) char[100];
  EXPECT(nothrow != nullptr);
  delete[] nothrow;
  auto *wide = new Wide;
  EXPECT(is_aligned(wide, 256));
  delete wide;
  auto *wides = new Wide[7];
  EXPECT(is_aligned(wides, 256));
  delete[] wides;
  void *plain = ::operator new(opaque_size(333));
  ::operator delete(plain, std::size_t{333});
  void *aligned = ::operator new(opaque_size(4096), std::align_val_t{4096});
  EXPECT(is_aligned(static_cast<char *>(aligned), 4096));
  ::operator delete(aligned, std::size_t{4096}, std::align_val_t{4096});
  EXPECT(::operator new(opaque_size(PTRDIFF_MAX), std::nothrow) == nullptr);
  bool thrown = false;
  try {
    ::operator delete(::operator new(opaque_size(PTRDIFF_MAX)));
  } catch (const std::bad_alloc &) {
    thrown = true;
  }
  EXPECT(thrown);
}

}  // namespace

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  EXPECT(before_constructors != nullptr && before_constructors[99] == 7);
  std::free(before_constructors);
  std::atexit(at_exit);
  EXPECT(pthread_key_create(&key, end_of_key) == 0);
  every_new();
  for (int round = 0; round < 50; round++) {
    std::thread worker([] {
      pthread_setspecific(key, std::malloc(200));
      EXPECT(in_thread.lines.size() == 100);
      // The destructors of `in_thread` and of the key run after this.
    });
    worker.join();
  }
  // A plugin is loaded, allocates in its constructor, hands over a block and is unloaded; the block stays valid.
  for (int round = 0; round < 20; round++) {
    void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) dprintf(STDERR_FILENO, "%s\n", dlerror());
    EXPECT(plugin != nullptr);
    auto make = reinterpret_cast<char *(*)(void)>(dlsym(plugin, "plugin_make"));
    auto local = reinterpret_cast<char *(*)(void)>(dlsym(plugin, "plugin_local"));
    EXPECT(make != nullptr && local != nullptr);
    char *block = make();
    std::thread([local] { EXPECT(local()[29999] == 1); }).join();
    EXPECT(local()[0] == 1);
    EXPECT(dlclose(plugin) == 0);
    EXPECT(std::strcmp(block, "made by the plugin") == 0);
    std::free(block);
  }
  return 0;
}
