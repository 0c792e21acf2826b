// Remote frees (Sources/ThreadHeaps/ThreadHeap+Remote.swift): two threads free the blocks of a span; its owner takes the
// stack and the list, and uses the blocks again.
#include "orders.h"

namespace {

constexpr int block_count = 4, freed_content = 7, reused_content = 9;

struct RemoteFrees : rl::test_suite<RemoteFrees, 3> {
  /// The number of the first block, from 1 on; 0 for none.
  rl::atomic<int> remote;
  /// 1 while the span is on the stack.
  rl::atomic<int> incoming;
  rl::var<int> next_incoming, link[block_count + 1], content[block_count + 1];

  void before() {
    remote($) = 0;
    incoming($) = 0;
  }

  void thread(unsigned index) {
    if (index == 0) {
      for (int turn = 0; turn < 3; turn++) collect();
    } else {
      for (int block = (int)index; block <= block_count; block += 2) give_back(block);
    }
  }

  void give_back(int block) {
    content[block]($) = freed_content;
    int old = remote($).load(rl::mo_relaxed);
    do {
      link[block]($) = old;
    } while (!remote($).compare_exchange_strong(old, block, acquire_and_release(0, 1), rl::mo_relaxed));
    if (old == 0) push_incoming();
  }

  void push_incoming() {
    int top = incoming($).load(rl::mo_relaxed);
    do {
      next_incoming($) = top;
    } while (!incoming($).compare_exchange_strong(top, 1, order(2, rl::mo_release), rl::mo_relaxed));
  }

  void collect() {
    int granule = incoming($).exchange(0, order(3, rl::mo_acquire));
    while (granule != 0) {
      granule = next_incoming($);
      int block = remote($).exchange(0, acquire_and_release(4, 5));
      for (; block != 0; block = link[block]($)) {
        RL_ASSERT(content[block]($) == freed_content);
        content[block]($) = reused_content;
      }
    }
  }
};

/// Claims (ThreadHeap+Claims.swift): the owner carves a second block, which it keeps, and settles the span. The thread
/// that frees the first block must not find the span complete.
struct Claim : rl::test_suite<Claim, 2> {
  static constexpr int settled = 64;
  /// The number of blocks, and the settled bit.
  rl::atomic<int> remote;
  rl::atomic<int> carved_count;

  void before() {
    remote($) = 0;
    carved_count($) = 1;
  }

  void thread(unsigned index) {
    if (index == 0) {
      carved_count($).store(2, rl::mo_relaxed);
      remote($).fetch_or(settled, order(0, rl::mo_release));
      return;
    }
    remote($).fetch_add(1, rl::mo_acq_rel);
    int word = remote($).load(order(1, rl::mo_acquire));
    bool is_complete = word == (settled | carved_count($).load(rl::mo_relaxed));
    RL_ASSERT(!is_complete);
  }
};

/// A published address (Sources/ProcessHeap/PublishedAddress.swift).
struct Published : rl::test_suite<Published, 2> {
  rl::atomic<int> address;
  rl::var<int> object;

  void before() { address($) = 0; }

  void thread(unsigned index) {
    if (index == 0) {
      object($) = 1;
      address($).store(1, order(0, rl::mo_release));
    } else if (address($).load(order(1, rl::mo_acquire)) != 0) {
      RL_ASSERT(object($) == 1);
    }
  }
};

}  // namespace

int main() {
  bool good = check<RemoteFrees>("remote frees", 6);
  good &= check<Claim>("claims", 2);
  good &= check<Published>("a published address", 2);
  return good ? 0 : 1;
}
