internal import CLabPlatform

/// How a thread waits: pauses that double up to a bound, then a yield of the processor.
///
/// The pauses keep waiters from hammering the cache line that the holder is about to write. The bound matters when
/// threads outnumber processors: a preempted holder runs again only when a waiter yields its processor.
/// Source: Anderson, "The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors", IEEE TPDS 1990.
@usableFromInline
struct Backoff: ~Copyable {
  /// The longest run of pauses. All runs up to it add up to 63 pauses, about as long as the fastest context switch: 0.6
  /// µs where `pause` takes 40 cycles, 2 to 3 µs where it takes 140.
  private static var pauseCountMax: UInt32 { 32 }

  /// The length of the next run of pauses.
  private var pauseCount: UInt32 = 1

  @usableFromInline
  init() {}

  /// Waits, longer each time, and finally by yielding the processor to another thread.
  @usableFromInline
  mutating func wait() {
    guard pauseCount <= Backoff.pauseCountMax else { return lab_platform_yield() }
    for _ in 0..<pauseCount { lab_platform_relax() }
    pauseCount *= 2
  }
}
