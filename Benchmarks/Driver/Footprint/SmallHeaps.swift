import CLabDriver
import Synchronization

/// Threads with a few blocks each, of which random ones are replaced: the most common shape of a server. 63 blocks in 64
/// have up to 600 bytes, the rest up to 100 kB. What a thread's heap keeps beyond its blocks counts many times here.
struct SmallHeaps: ~Copyable {
  /// How many blocks a thread replaces: after that many, no allocator's resident memory grows any more.
  private static let replacementCount = 150_000

  private let blocks: ThreadBlocks
  private let replacementCount: Int
  private let liveByteCount = Atomic<Int>(0)
  private let peakLiveByteCount = Atomic<Int>(0)
  private let holderCount = Atomic<Int>(0)
  private let doneCount = Atomic<Int>(0)

  private init(_ blocks: consuming ThreadBlocks, replacementCount: Int) {
    self.blocks = blocks
    self.replacementCount = replacementCount
  }

  /// Runs a heap on each thread that has a table in `blocks`.
  static func run(_ blocks: consuming ThreadBlocks, _ held: inout HeldBlocks, _ percent: Int) {
    let replacementCount = max(1, replacementCount / 100 * percent)
    let operationCount = blocks.threadCount * (blocks.capacity + replacementCount)
    let threadCount = blocks.threadCount
    var heaps = SmallHeaps(blocks, replacementCount: replacementCount)
    // SAFETY: the body binds what it shares to its type; it changes nothing in it but by atomics, and by the table of its
    // thread's number.
    unsafe LabThread.run(threadCount, sharing: &heaps) { shared, thread in
      unsafe shared.assumingMemoryBound(to: SmallHeaps.self).pointee.work(thread)
    }
    held.countThreadBlocks(
      byteCount: heaps.peakLiveByteCount.load(ordering: .relaxed), operations: operationCount)
  }

  private borrowing func work(_ thread: Int) {
    // SAFETY: each thread has a number of its own.
    unsafe blocks.withTable(of: thread) { table in
      table.random = Random(seed: thread + 1)
      work(&table)
    }
  }

  private borrowing func work(_ table: inout HeldBlocks) {
    for _ in 0..<blocks.capacity { table.allocate(Self.draw(&table.random)) }
    countLive(table.liveByteCount)
    // All heaps are full before the first replacement, and none is freed before the last one.
    waitForAll(holderCount)
    for _ in 0..<replacementCount {
      let old = table.liveByteCount
      table.deallocate(at: table.random.below(table.count))
      table.allocate(Self.draw(&table.random))
      countLive(table.liveByteCount - old)
    }
    waitForAll(doneCount)
    table.deallocateInOrder()
  }

  /// Counts this thread, and waits until all threads were counted.
  private borrowing func waitForAll(_ count: borrowing Atomic<Int>) {
    count.add(1, ordering: .relaxed)
    while count.load(ordering: .relaxed) < blocks.threadCount { Clock.sleep(milliseconds: 1) }
  }

  private static func draw(_ random: inout Random) -> Int { 1 + random.below(random.below(64) == 0 ? 100_000 : 600) }

  private borrowing func countLive(_ change: Int) {
    let live = liveByteCount.add(change, ordering: .relaxed).newValue
    if live > peakLiveByteCount.load(ordering: .relaxed) { peakLiveByteCount.max(live, ordering: .relaxed) }
  }
}

/// A table of held blocks for each thread, all of them resident from the start.
@safe struct ThreadBlocks: ~Copyable {
  let threadCount: Int
  /// How many blocks a table has room for.
  let capacity: Int
  private let base: UnsafeMutablePointer<HeldBlocks>

  init(threadCount: Int, capacity: Int) {
    self.threadCount = threadCount
    self.capacity = capacity
    // SAFETY: a new mapping with room for the tables.
    unsafe base = mapped(max(1, threadCount) * MemoryLayout<HeldBlocks>.stride)
      .bindMemory(to: HeldBlocks.self, capacity: threadCount)
    for thread in 0..<threadCount { unsafe (base + thread).initialize(to: HeldBlocks(capacity: capacity)) }
  }

  deinit {
    // SAFETY: each place holds a table, and the mapping has this length.
    unsafe base.deinitialize(count: threadCount)
    unsafe munmap(base, max(1, threadCount) * MemoryLayout<HeldBlocks>.stride)
  }

  /// Passes a thread its table.
  ///
  /// - Safety: No other thread may have a table of this number at the same time.
  @unsafe func withTable(of thread: Int, _ body: (inout HeldBlocks) -> Void) { unsafe body(&base[thread]) }
}
