internal import CLabPlatform

/// How a waiting thread passes the time: pauses that double up to a bound, and past it the processor is given away.
///
/// The pauses keep waiters from hammering the cache line that the holder is about to write. The bound matters when
/// threads outnumber processors: a holder that was preempted can go on only when a waiter gives its processor up.
/// Source: Anderson, "The Performance of Spin Lock Alternatives for Shared-Memory Multiprocessors", IEEE TPDS 1990.
@usableFromInline
struct Backoff: ~Copyable {
  /// The longest run of pauses. All runs up to it together take about a scheduler's quickest switch: 63 pauses are
  /// 0.6 µs where `pause` takes 40 cycles, and 2 to 3 µs where it takes 140.
  private static var pauseCountMax: UInt32 { 32 }

  /// The length of the next run of pauses.
  private var pauseCount: UInt32 = 1

  @usableFromInline
  init() {}

  /// Waits a little, each time longer, and in the end by giving the processor to another thread.
  @usableFromInline
  mutating func wait() {
    guard pauseCount <= Backoff.pauseCountMax else { return lab_platform_yield() }
    for _ in 0..<pauseCount { lab_platform_relax() }
    pauseCount *= 2
  }
}
