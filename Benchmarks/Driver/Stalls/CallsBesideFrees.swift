import Synchronization

/// One thread fills a heap and frees it at a stretch. Another one, as a server's other connections do, replaces a few
/// blocks of its own meanwhile. Its time is elapsed time, since a wait for a lock is no processor time. Waits for a
/// processor are left out, as far as they can be: the kernel's count of them is read once for every batch of calls, and
/// the slowest call of a batch took no more time without them than the whole batch did.
struct CallsBesideFrees: ~Copyable {
  static let threadCount = 2
  /// How many blocks the other thread holds.
  private static let slotCount = 64
  /// How many blocks the other thread replaces between two readings of the kernel's count.
  private static let batchCount = 8
  /// The batches after which the other thread's own blocks and caches have settled.
  private static let warmUpBatchCount = 1_000

  private let blocks: FreedBlocks
  private let byteCount: Int
  private let isWarm = Atomic<Bool>(false)
  private let isFreeing = Atomic<Bool>(false)
  private let areFreed = Atomic<Bool>(false)
  private let callCount = Atomic<Int>(0)
  private let slowestNanoseconds = Atomic<Int>(0)

  private init(_ blocks: FreedBlocks, byteCount: Int) {
    self.blocks = blocks
    self.byteCount = byteCount
  }

  static func run(_ blocks: FreedBlocks, _ byteCount: Int) -> (callCount: Int, slowestNanoseconds: Int) {
    var calls = CallsBesideFrees(blocks, byteCount: byteCount)
    // SAFETY: the body binds what it shares to its type, and changes nothing in it but by atomics.
    unsafe LabThread.run(threadCount, sharing: &calls) { shared, thread in
      let calls = unsafe shared.assumingMemoryBound(to: CallsBesideFrees.self)
      if thread == 0 { unsafe calls.pointee.free() } else { unsafe calls.pointee.replace() }
    }
    return (calls.callCount.load(ordering: .relaxed), calls.slowestNanoseconds.load(ordering: .relaxed))
  }

  /// The thread that frees: fills its heap, waits until the other one is warm, and frees.
  private borrowing func free() {
    var heap = FreedHeap(blocks.sizes, byteCount: byteCount)
    heap.arrange(.firstFirst)
    while !isWarm.load(ordering: .relaxed) { Clock.sleep(milliseconds: 1) }
    isFreeing.store(true, ordering: .relaxed)
    while heap.count > 0 { heap.deallocateNext() }
    areFreed.store(true, ordering: .relaxed)
  }

  /// The other thread: times the batches that end after the first free began, up to the first one after the last free.
  private borrowing func replace() {
    let wait = ProcessorWait()
    var other = OtherBlocks(blocks.otherSizes, count: Self.slotCount)
    var (batchCount, timedBatchCount, slowest) = (0, 0, 0)
    var isOver = false
    while !isOver {
      isOver = areFreed.load(ordering: .relaxed)
      let (start, waitStart) = (Clock.nanoseconds, wait.nanoseconds)
      let slowestCall = other.replace(Self.batchCount)
      let batch = Clock.nanoseconds - start - (wait.nanoseconds - waitStart)
      batchCount += 1
      if batchCount == Self.warmUpBatchCount { isWarm.store(true, ordering: .relaxed) }
      guard isFreeing.load(ordering: .relaxed) else { continue }
      timedBatchCount += 1
      slowest = max(slowest, min(slowestCall, batch))
    }
    callCount.store(timedBatchCount * Self.batchCount * 2, ordering: .relaxed)
    slowestNanoseconds.store(slowest, ordering: .relaxed)
  }
}

/// The blocks of the other thread.
private struct OtherBlocks: ~Copyable {
  private let heap = MallocFamily()
  private let sizes: SizeCycle
  private let slots: MappedTable<Block?>
  private var random = Random(seed: 3)
  private var operation = 0

  init(_ range: SizeRange, count: Int) {
    sizes = SizeCycle(range)
    slots = MappedTable(count: count)
  }

  deinit { for slot in 0..<slots.count { if let block = slots[slot] { heap.deallocate(block) } } }

  /// Replaces the blocks in `count` random slots.
  ///
  /// - Returns: The elapsed time of the slowest call, in nanoseconds.
  mutating func replace(_ count: Int) -> Int {
    var slowest = 0
    for _ in 0..<count {
      let slot = random.below(slots.count)
      let start = Clock.nanoseconds
      if let block = slots[slot] { heap.deallocate(block) }
      let middle = Clock.nanoseconds
      let block = heap.allocate(sizes[operation])
      let end = Clock.nanoseconds
      block.touch(operation)
      slots[slot] = block
      operation += 1
      slowest = max(slowest, max(middle - start, end - middle))
    }
    return slowest
  }
}
