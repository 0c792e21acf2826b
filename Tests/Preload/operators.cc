// Every form of operator new and delete reaches the library, whether it is preloaded or linked: each allocation shows
// in the library's own figures, and disappears from them afterwards. When memory runs out, the new-handler is called
// and then std::bad_alloc thrown.
#include <dlfcn.h>
#include <heaplab.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "expect.h"

namespace {

template <typename Function>
Function *library_function(const char *name) {
  void *found = dlsym(RTLD_DEFAULT, name);
  if (!found) dprintf(STDERR_FILENO, "%s is not there: is the library loaded?\n", name);
  EXPECT(found != nullptr);
  return reinterpret_cast<Function *>(found);
}

size_t live_byte_count() {
  static auto *read = library_function<decltype(heaplab_read_statistics)>("heaplab_read_statistics");
  heaplab_statistics now;
  read(&now, sizeof now);
  return now.live_byte_count;
}

constexpr size_t size = 300000;
constexpr auto wide = std::align_val_t{4096};

/// One form: a block of `size` bytes that the library's figures count while it lives.
template <typename New, typename Delete>
void pair(size_t alignment, New allocate, Delete release) {
  size_t before = live_byte_count();
  void *block = opaque(allocate());
  EXPECT(block != nullptr && (reinterpret_cast<uintptr_t>(block) & (alignment - 1)) == 0);
  EXPECT(live_byte_count() >= before + size);
  std::memset(block, 1, size);
  release(block);
  EXPECT(live_byte_count() < before + size);
}

void every_form() {
  using std::nothrow;
  pair(16, [] { return ::operator new(opaque_size(size)); }, [](void *b) { ::operator delete(b); });
  pair(16, [] { return ::operator new[](opaque_size(size)); }, [](void *b) { ::operator delete[](b); });
  pair(16, [] { return ::operator new(opaque_size(size)); }, [](void *b) { ::operator delete(b, size); });
  pair(16, [] { return ::operator new[](opaque_size(size)); }, [](void *b) { ::operator delete[](b, size); });
  pair(16, [] { return ::operator new(opaque_size(size), nothrow); },
       [](void *b) { ::operator delete(b, nothrow); });
  pair(16, [] { return ::operator new[](opaque_size(size), nothrow); },
       [](void *b) { ::operator delete[](b, nothrow); });
  pair(4096, [] { return ::operator new(opaque_size(size), wide); }, [](void *b) { ::operator delete(b, wide); });
  pair(4096, [] { return ::operator new[](opaque_size(size), wide); }, [](void *b) { ::operator delete[](b, wide); });
  pair(4096, [] { return ::operator new(opaque_size(size), wide); },
       [](void *b) { ::operator delete(b, size, wide); });
  pair(4096, [] { return ::operator new[](opaque_size(size), wide); },
       [](void *b) { ::operator delete[](b, size, wide); });
  pair(4096, [] { return ::operator new(opaque_size(size), wide, nothrow); },
       [](void *b) { ::operator delete(b, wide, nothrow); });
  pair(4096, [] { return ::operator new[](opaque_size(size), wide, nothrow); },
       [](void *b) { ::operator delete[](b, wide, nothrow); });
}

struct alignas(1024) Wide {
  std::string text = std::string(100, 'w');
  char rest[size];
};

void expressions_and_containers() {
  size_t before = live_byte_count();
  auto one = std::make_unique<Wide>();
  EXPECT((reinterpret_cast<uintptr_t>(one.get()) & 1023) == 0 && live_byte_count() >= before + size);
  auto many = std::make_unique<Wide[]>(5);
  EXPECT((reinterpret_cast<uintptr_t>(&many[3]) & 1023) == 0 && many[4].text.size() == 100);
  auto shared = std::make_shared<std::vector<std::string>>(1000, std::string(300, 's'));
  EXPECT(live_byte_count() >= before + 6 * size + 1000 * 300);
  one.reset();
  many.reset();
  shared.reset();
  EXPECT(live_byte_count() < before + size);
}

int handler_calls;
void *reserve;

/// Frees the reserve at its first call, and uninstalls itself at the second.
void give_up() {
  handler_calls++;
  if (reserve) {
    ::operator delete(std::exchange(reserve, nullptr));
  } else {
    std::set_new_handler(nullptr);
  }
}

struct Link {
  Link *next;
  char rest[100000 - sizeof(Link *)];
};

/// Under a quota, allocates until std::bad_alloc.
void exhaustion() {
  auto *set_quota = library_function<decltype(heaplab_set_quota)>("heaplab_set_quota");
  set_quota(100 << 20);
  reserve = ::operator new(10 << 20);
  std::set_new_handler(give_up);
  Link *first = nullptr;
  size_t count = 0;
  bool thrown = false;
  try {
    for (;; count++) {
      auto *link = new Link;
      link->next = first;
      first = link;
      EXPECT(count * sizeof(Link) < 100 << 20);
    }
  } catch (const std::bad_alloc &) {
    thrown = true;
  }
  EXPECT(thrown && handler_calls == 2);
  // The nothrow form returns null, and calls no handler when there is none.
  EXPECT(new (std::nothrow) char[opaque_size(50 << 20)] == nullptr && handler_calls == 2);
  EXPECT(::operator new(opaque_size(50 << 20), wide, std::nothrow) == nullptr);
  while (first) delete std::exchange(first, first->next);
  delete[] new char[50 << 20];
  set_quota(SIZE_MAX);
}

void sizes_that_cannot_be() {
  for (size_t impossible : {std::numeric_limits<size_t>::max(), size_t{PTRDIFF_MAX} + 1}) {
    EXPECT(::operator new(opaque_size(impossible), std::nothrow) == nullptr);
    EXPECT(::operator new[](opaque_size(impossible), std::nothrow) == nullptr);
    bool thrown = false;
    try {
      ::operator delete(::operator new(opaque_size(impossible)));
    } catch (const std::bad_alloc &) {
      thrown = true;
    }
    EXPECT(thrown);
  }
  // libstdc++ rounds the size up to the alignment: SIZE_MAX would become 0 on the way.
  EXPECT(::operator new(opaque_size(PTRDIFF_MAX), wide, std::nothrow) == nullptr);
  bool thrown = false;
  try {
    delete[] new std::string[opaque_size(PTRDIFF_MAX)];
  } catch (const std::bad_alloc &) {
    thrown = true;
  }
  EXPECT(thrown);
}

}  // namespace

int main() {
  every_form();
  expressions_and_containers();
  exhaustion();
  sizes_that_cannot_be();
  return 0;
}
