// The locks: HeapLock and SpinLock, which are alike, and TicketLock.
#include "orders.h"

namespace {

constexpr unsigned thread_count = 3;

/// Sources/HeapSpaces/HeapLock.swift, Sources/SpinLocks/SpinLock.swift
struct Exchanged : rl::test_suite<Exchanged, thread_count> {
  rl::atomic<int> holder;
  rl::var<int> guarded;

  void before() {
    holder($) = 0;
    guarded($) = 0;
  }

  void thread(unsigned index) {
    rl::backoff wait;
    for (;; wait.yield($)) {
      int expected = 0;
      if (holder($).compare_exchange_strong(expected, (int)index + 1, order(0, rl::mo_acquire), rl::mo_relaxed)) break;
    }
    guarded($) = guarded($) + 1;
    holder($).store(0, order(1, rl::mo_release));
  }

  void after() { RL_ASSERT(guarded($) == (int)thread_count); }
};

/// Sources/SpinLocks/TicketLock.swift; the last thread only tries.
struct Tickets : rl::test_suite<Tickets, thread_count> {
  rl::atomic<unsigned> next, served;
  rl::var<int> guarded;

  void before() {
    next($) = 0;
    served($) = 0;
    guarded($) = 0;
  }

  void thread(unsigned index) {
    unsigned ticket;
    if (index + 1 < thread_count) {
      ticket = next($).fetch_add(1, rl::mo_relaxed);
      rl::backoff wait;
      while (served($).load(order(0, rl::mo_acquire)) != ticket) wait.yield($);
    } else {
      ticket = served($).load(order(1, rl::mo_acquire));
      unsigned drawn = ticket;
      if (!next($).compare_exchange_strong(drawn, ticket + 1, rl::mo_relaxed, rl::mo_relaxed)) return;
    }
    guarded($) = guarded($) + 1;
    served($).store(ticket + 1, order(2, rl::mo_release));
  }
};

}  // namespace

int main() {
  bool good = check<Exchanged>("locks by exchange", 2);
  good &= check<Tickets>("the ticket lock", 3);
  return good ? 0 : 1;
}
