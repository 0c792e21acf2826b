/// Each slot holds a block. The block in a random slot is freed, and one of a random size takes its place.
struct Slots: ~Copyable {
  private let heap = MallocFamily()
  private let sizes: SizeCycle
  private let slots: MappedTable<Block>
  private var random: Random

  /// Fills `count` slots.
  init(_ range: SizeRange, count: Int, seed: Int = 1) {
    sizes = SizeCycle(range, seed: seed)
    slots = MappedTable(count: count)
    random = Random(seed: seed + 1)
    for index in 0..<count {
      let byteCount = sizes[index]
      let block = heap.allocate(byteCount)
      block.touchEnds(index, byteCount: byteCount)
      slots[index] = block
    }
  }

  deinit { for index in 0..<slots.count { heap.deallocate(slots[index]) } }

  /// Fills new slots, replaces blocks in them, and frees them. Only the replacements are timed.
  static func run(_ operationCount: Int, _ range: SizeRange, count: Int) -> Elapsed {
    var slots = Slots(range, count: count)
    let start = Elapsed.now
    slots.replace(operationCount)
    return .now - start
  }

  /// How many blocks each thread of ``runThreads(_:_:threads:)`` holds.
  private static let threadSlotCount = 32

  /// Replaces blocks on each of `threads` threads, which share nothing but the allocator.
  static func runThreads(_ operationCount: Int, _ range: SizeRange, threads: Int) -> Elapsed {
    var work = ThreadWork(operationCount: operationCount, threadCount: threads, sizes: range)
    // SAFETY: the body binds what it shares to its type, and only reads it.
    return unsafe LabThread.run(threads, sharing: &work) { shared, thread in
      let work = unsafe shared.assumingMemoryBound(to: ThreadWork.self).pointee
      var slots = Slots(work.sizes, count: Slots.threadSlotCount, seed: thread + 1)
      slots.replace(work.operationCount(of: thread))
    }
  }

  @inline(never) mutating func replace(_ operationCount: Int) {
    var random = random
    let count = slots.count
    var left = operationCount
    while left != 0 {
      let slot = random.below(count)
      let byteCount = sizes[left]
      heap.deallocate(slots[slot])
      let block = heap.allocate(byteCount)
      block.touchEnds(left, byteCount: byteCount)
      slots[slot] = block
      left &-= 1
    }
    self.random = random
  }
}
