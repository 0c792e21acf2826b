import Synchronization

/// One thread fills a heap and frees it at a stretch. Another one, as a server's other connections do, replaces a few
/// blocks of its own meanwhile. Its time is elapsed time, since a wait for a lock is no processor time. On a machine
/// without a processor for each of them, the scheduler adds some milliseconds under every allocator.
struct CallsBesideFrees: ~Copyable {
  static let threadCount = 2
  /// How many blocks the other thread holds.
  private static let slotCount = 64
  /// The replacements after which the other thread's own blocks and caches have settled.
  private static let warmUpCount = 10_000

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

  /// The other thread: times each call that ends after the first free began, up to the first one after the last free.
  private borrowing func replace() {
    let heap = MallocFamily()
    let sizes = SizeCycle(blocks.otherSizes)
    let slots = MappedTable<Block?>(count: Self.slotCount)
    var random = Random(seed: 3)
    var (count, callCount, slowest) = (0, 0, 0)
    var isOver = false
    while !isOver {
      isOver = areFreed.load(ordering: .relaxed)
      let slot = random.below(Self.slotCount)
      let start = Clock.nanoseconds
      if let block = slots[slot] { heap.deallocate(block) }
      let middle = Clock.nanoseconds
      let block = heap.allocate(sizes[count])
      let end = Clock.nanoseconds
      block.touch(count)
      slots[slot] = block
      count += 1
      if count == Self.warmUpCount { isWarm.store(true, ordering: .relaxed) }
      guard isFreeing.load(ordering: .relaxed) else { continue }
      callCount += 2
      slowest = max(slowest, max(middle - start, end - middle))
    }
    self.callCount.store(callCount, ordering: .relaxed)
    slowestNanoseconds.store(slowest, ordering: .relaxed)
    for slot in 0..<Self.slotCount { if let block = slots[slot] { heap.deallocate(block) } }
  }
}
