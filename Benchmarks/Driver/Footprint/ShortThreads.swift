import Synchronization

/// Sixty rounds of sixty-four threads, which hold blocks at the same time, free them and end.
struct ShortThreads: ~Copyable {
  static let threadCount = 64
  private static let roundCount = 60
  /// The blocks of one thread, about 64 KiB on average.
  private static let blockCount = 90

  private let holderCount = Atomic<Int>(0)
  private let byteCount = Atomic<Int>(0)

  static func run(_ held: inout HeldBlocks, _ percent: Int) {
    for _ in 0..<max(1, roundCount * percent / 100) {
      var round = ShortThreads()
      // SAFETY: the body binds what it shares to its type, and changes nothing in it but by atomics.
      unsafe LabThread.run(threadCount, sharing: &round) { shared, thread in
        unsafe shared.assumingMemoryBound(to: ShortThreads.self).pointee.hold(thread)
      }
      held.countThreadBlocks(
        byteCount: round.byteCount.load(ordering: .relaxed), operations: threadCount * blockCount)
    }
  }

  /// Allocates, waits until all threads of the round have allocated, and frees.
  private borrowing func hold(_ thread: Int) {
    var blocks = HeldBlocks(capacity: Self.blockCount)
    blocks.random = Random(seed: thread + 1)
    for _ in 0..<Self.blockCount { blocks.allocate(SizeRange(16, 4096).draw(&blocks.random)) }
    byteCount.add(blocks.liveByteCount, ordering: .relaxed)
    holderCount.add(1, ordering: .releasing)
    while holderCount.load(ordering: .acquiring) < Self.threadCount { Clock.sleep(milliseconds: 1) }
    blocks.deallocateInOrder()
  }
}
