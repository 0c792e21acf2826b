// What the models share: Relacy, which simulates the C++11 memory model, and a way to weaken one order at a time.
//
// A model names each order that it uses by a number. It must hold in every simulated interleaving as it stands, and must
// fail once any one of its orders is relaxed: an order that could be weaker would prove nothing.
#pragma once

#include <cstdio>
#include <iostream>
#include <relacy/relacy.hpp>
#include <streambuf>

/// The number of the order that is relaxed now; -1 for none.
inline int weakened = -1;

/// `order`, or the relaxed one in its place.
inline rl::memory_order order(int number, rl::memory_order order) {
  return number == weakened ? rl::mo_relaxed : order;
}

/// Acquire and release, of which one may be missing.
inline rl::memory_order acquire_and_release(int acquire, int release) {
  return weakened == acquire ? rl::mo_release : weakened == release ? rl::mo_acquire : rl::mo_acq_rel;
}

/// Takes what the simulator prints. It replaces operator delete, which standard streams with a buffer do not survive.
struct silence : std::streambuf {
  int overflow(int character) override { return character; }
};

/// Whether the model holds as it stands, and fails without each of its `count` orders.
template <typename Model>
bool check(const char *name, int count) {
  silence nothing;
  std::ostream quiet(&nothing);
  int wrong = 0;
  for (weakened = -1; weakened < count; weakened++) {
    rl::test_params parameters;
    parameters.iteration_count = 20000;
    // The history of a model that should hold is worth reading.
    parameters.output_stream = weakened < 0 ? &std::cout : &quiet;
    parameters.progress_stream = &quiet;
    bool holds = rl::simulate<Model>(parameters);
    if (holds == (weakened < 0)) continue;
    wrong++;
    if (holds) std::printf("FAILED: %s holds without order %d\n", name, weakened);
    else std::printf("FAILED: %s\n", name);
  }
  std::printf("%s: %d orders, %s\n", name, count, wrong == 0 ? "all needed, and enough" : "FAILED");
  return wrong == 0;
}
