// Heaps by options (heaplab_heap_create_with): pinned, on a node, on huge pages, with a call-back before the quota is
// exceeded; what is refused; pages by node. The argument "huge" needs a pool of 2 MiB pages, "limited" a low RLIMIT_MEMLOCK.
#define _GNU_SOURCE
#include "expect.h"

#include <errno.h>
#include <fcntl.h>
#include <heaplab.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { MEBIBYTE = 1 << 20 };

static long locked_bytes(void) {
  char text[8192];
  int file = open("/proc/self/status", O_RDONLY);
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  EXPECT(length > 0);
  text[length] = 0;
  return strtol(strstr(text, "VmLck:") + 6, NULL, 10) * 1024;
}

static struct heaplab_heap_options sized(size_t byte_count) {
  struct heaplab_heap_options options = {.options_size = sizeof options, .byte_count = byte_count};
  return options;
}

static void expect_refused(struct heaplab_heap_options options, int code) {
  errno = 0;
  EXPECT(heaplab_heap_create_with(&options) == NULL);
  EXPECT(errno == code);
}

static void use(heaplab_heap *heap) {
  EXPECT(heap != NULL);
  char *blocks[40];
  for (int i = 0; i < 40; i++) {
    blocks[i] = heaplab_heap_allocate(heap, (size_t)i * 50 + 1);
    EXPECT(blocks[i] != NULL);
    memset(blocks[i], i, (size_t)i * 50 + 1);
  }
  for (int i = 0; i < 40; i++) {
    EXPECT(blocks[i][i * 50] == (char)i);
    heaplab_heap_free(heap, blocks[i]);
  }
}

static void check_contract(void) {
  struct heaplab_heap_options options = sized(MEBIBYTE);
  expect_refused((struct heaplab_heap_options){0}, EINVAL);
  EXPECT(heaplab_heap_create_with(NULL) == NULL && errno == EINVAL);
  options.options_size--;
  expect_refused(options, EINVAL);
  options = sized(MEBIBYTE);
  options.flags = 1u << 30;
  expect_refused(options, EINVAL);
  options.flags = HEAPLAB_HEAP_THP | HEAPLAB_HEAP_2M;
  expect_refused(options, EINVAL);
  options.flags = HEAPLAB_HEAP_NODE;
  options.node = 900;
  expect_refused(options, EINVAL);
  options = sized(SIZE_MAX);
  expect_refused(options, ENOMEM);
  options = sized(1000);
  expect_refused(options, EINVAL);
  // A newer program, whose further fields are 0, and one that uses a field of tomorrow.
  struct {
    struct heaplab_heap_options known;
    size_t unknown;
  } newer = {sized(4 * MEBIBYTE), 0};
  newer.known.options_size = sizeof newer;
  heaplab_heap *heap = heaplab_heap_create_with(&newer.known);
  use(heap);
  heaplab_heap_destroy(heap);
  newer.unknown = 1;
  EXPECT(heaplab_heap_create_with(&newer.known) == NULL && errno == EINVAL);
}

static void check_pin(void) {
  struct heaplab_heap_options options = sized(4 * MEBIBYTE);
  options.flags = HEAPLAB_HEAP_PIN;
  long before = locked_bytes();
  heaplab_heap *heap = heaplab_heap_create_with(&options);
  EXPECT(locked_bytes() >= before + 4 * MEBIBYTE - 65536);
  use(heap);
  heaplab_heap_destroy(heap);
  EXPECT(locked_bytes() == before);
  // The caller's memory is unlocked again.
  void *memory = mmap(NULL, 4 * MEBIBYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  options.memory = memory;
  heap = heaplab_heap_create_with(&options);
  EXPECT(locked_bytes() == before + 4 * MEBIBYTE);
  use(heap);
  heaplab_heap_destroy(heap);
  EXPECT(locked_bytes() == before);
  // Too short for a heap: nothing stays locked.
  options.byte_count = 8192;
  expect_refused(options, EINVAL);
  EXPECT(locked_bytes() == before);
  options.byte_count = 4 * MEBIBYTE;
  options.flags = HEAPLAB_HEAP_2M;
  expect_refused(options, EINVAL);
  munmap(memory, 4 * MEBIBYTE);
}

static void check_nodes(void) {
  struct heaplab_heap_options options = sized(4 * MEBIBYTE);
  options.flags = HEAPLAB_HEAP_NODE | HEAPLAB_HEAP_THP;
  heaplab_heap *heap = heaplab_heap_create_with(&options);
  use(heap);
  size_t counts[4];
  EXPECT(heaplab_heap_count_pages(heap, counts, 4) == 0 && counts[0] > 10);
  EXPECT(heaplab_heap_move(heap, 0) == 0);
  EXPECT(heaplab_heap_move(heap, 900) == -1 && errno == EINVAL);
  use(heap);
  heaplab_heap_destroy(heap);
  free(opaque(malloc(1)));
  EXPECT(heaplab_count_pages(counts, 4) == 0 && counts[0] + counts[1] + counts[2] + counts[3] > 3);
  EXPECT(heaplab_count_pages(NULL, 0) == 0);
}

static struct {
  void *spare;
  int calls, answer;
  size_t asked;
} quota;

static int near_quota(heaplab_heap *heap, size_t byte_count, void *context) {
  EXPECT(context == &quota);
  quota.calls++;
  quota.asked = byte_count;
  heaplab_heap_free(heap, quota.spare);
  quota.spare = NULL;
  return quota.answer;
}

static void check_quota(void) {
  struct heaplab_heap_options options = sized(8 * MEBIBYTE);
  options.quota = 2 * MEBIBYTE;
  options.near_quota = near_quota;
  options.context = &quota;
  heaplab_heap *heap = heaplab_heap_create_with(&options);
  EXPECT(heap != NULL);
  quota.spare = heaplab_heap_allocate(heap, MEBIBYTE);
  EXPECT(quota.spare != NULL && quota.calls == 0);
  // The call-back frees a block, and the request succeeds.
  quota.answer = 1;
  void *block = heaplab_heap_allocate(heap, MEBIBYTE + 1000);
  EXPECT(block != NULL && quota.calls == 1 && quota.asked == MEBIBYTE + 1000);
  // It frees nothing more: asked once, then the request fails.
  errno = 0;
  EXPECT(heaplab_heap_allocate(heap, MEBIBYTE + 1000) == NULL && errno == ENOMEM && quota.calls == 2);
  heaplab_heap_free(heap, block);
  quota.answer = 0;
  quota.spare = heaplab_heap_allocate(heap, MEBIBYTE);
  EXPECT(heaplab_heap_allocate(heap, MEBIBYTE + 1000) == NULL && quota.calls == 3);
  EXPECT(heaplab_heap_allocate(heap, MEBIBYTE + 1000) != NULL);
  heaplab_heap_destroy(heap);
}

int main(int count, char **arguments) {
  const char *situation = count > 1 ? arguments[1] : "";
  struct heaplab_heap_options options = sized(16 * MEBIBYTE);
  if (strcmp(situation, "huge") == 0) {
    options.flags = HEAPLAB_HEAP_2M | HEAPLAB_HEAP_PIN;
    heaplab_heap *heap = heaplab_heap_create_with(&options);
    use(heap);
    heaplab_heap_destroy(heap);
    return 0;
  }
  if (strcmp(situation, "limited") == 0) {
    options.flags = HEAPLAB_HEAP_PIN;
    EXPECT(heaplab_heap_create_with(&options) == NULL && (errno == ENOMEM || errno == EPERM));
    EXPECT(locked_bytes() == 0);
    return 0;
  }
  check_contract();
  check_pin();
  check_nodes();
  check_quota();
  options.flags = HEAPLAB_HEAP_2M;
  options.byte_count = (size_t)64 << 30;
  expect_refused(options, ENOMEM);
  return 0;
}
