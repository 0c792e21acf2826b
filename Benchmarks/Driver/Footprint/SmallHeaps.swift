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
    // SAFETY: the table of this number is this thread's alone.
    let blocks = unsafe blocks.address(of: thread)
    unsafe blocks.pointee.random = Random(seed: thread + 1)
    for _ in 0..<self.blocks.capacity { unsafe blocks.pointee.allocate(Self.draw(&blocks.pointee.random)) }
    countLive(unsafe blocks.pointee.liveByteCount)
    holderCount.add(1, ordering: .relaxed)
    // All heaps are full before the first replacement, and none is freed before the last one.
    while holderCount.load(ordering: .relaxed) < self.blocks.threadCount { Clock.sleep(milliseconds: 1) }
    for _ in 0..<replacementCount {
      let old = unsafe blocks.pointee.liveByteCount
      unsafe blocks.pointee.deallocate(at: blocks.pointee.random.below(blocks.pointee.count))
      unsafe blocks.pointee.allocate(Self.draw(&blocks.pointee.random))
      countLive(unsafe blocks.pointee.liveByteCount - old)
    }
    doneCount.add(1, ordering: .relaxed)
    while doneCount.load(ordering: .relaxed) < self.blocks.threadCount { Clock.sleep(milliseconds: 1) }
    unsafe blocks.pointee.deallocateInOrder()
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

  /// The address of a thread's table.
  // SAFETY: forming the address touches nothing.
  func address(of thread: Int) -> UnsafeMutablePointer<HeldBlocks> { unsafe base + thread }
}
