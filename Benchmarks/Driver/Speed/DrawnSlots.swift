/// Each slot holds a block. The block in a random slot is freed, and one of a size that was just drawn takes its place.
///
/// One random number chooses the slot and the size. The loop around the two calls is some twenty instructions, the same
/// under every allocator.
struct DrawnSlots: ~Copyable {
  /// What a replacement does beside the two calls.
  enum Use {
    /// Writes the new block's first word.
    case touched
    /// Leaves the blocks alone: the allocator finds none of them in a cache that its caller filled.
    case untouched
    /// Writes the new block's first word, and frees the old one with its size.
    case sized
  }

  private let heap = MallocFamily()
  private let sizes: DrawnSizes
  private let use: Use
  private let slots: MappedTable<Block>
  /// The size of each slot's block, where a free needs it.
  private let byteCounts: MappedTable<UInt32>
  private var random: Random

  /// Fills `count` slots.
  init(_ sizes: DrawnSizes, count: Int, _ use: Use, seed: Int = 1) {
    self.sizes = sizes
    self.use = use
    slots = MappedTable(count: count)
    byteCounts = MappedTable(count: use == .sized ? count : 0)
    random = Random(seed: seed)
    for slot in 0..<count { fill(slot, random.nextHalves().1) }
  }

  deinit { for slot in 0..<slots.count { heap.deallocate(slots[slot]) } }

  private func fill(_ slot: Int, _ bits: UInt32) {
    let byteCount = sizes.size(bits)
    let block = heap.allocate(byteCount)
    if use != .untouched { block.touch(slot) }
    if use == .sized { byteCounts[slot] = UInt32(byteCount) }
    slots[slot] = block
  }

  /// Fills new slots, replaces blocks in them, and frees them. Only the replacements are timed.
  static func run(_ operationCount: Int, _ sizes: DrawnSizes, count: Int, _ use: Use) -> Elapsed {
    var slots = DrawnSlots(sizes, count: count, use)
    let start = Elapsed.now
    slots.replace(operationCount)
    return .now - start
  }

  /// Replaces that many blocks.
  mutating func replace(_ operationCount: Int) {
    var random = random
    switch use {
    case .touched: replaceTouched(operationCount, &random)
    case .untouched: replaceUntouched(operationCount, &random)
    case .sized: replaceSized(operationCount, &random)
    }
    self.random = random
  }

  /// Replaces one block.
  ///
  /// - Returns: The old block, which is now the caller's.
  @inline(__always) mutating func exchange() -> Block {
    let (place, bits) = random.nextHalves()
    let slot = Random.scaled(place, below: UInt32(slots.count))
    let old = slots[slot]
    fill(slot, bits)
    return old
  }

  @inline(never) private borrowing func replaceTouched(_ operationCount: Int, _ random: inout Random) {
    draw(operationCount, &random) { slot, byteCount in
      heap.deallocate(slots[slot])
      let block = heap.allocate(byteCount)
      block.touch(byteCount)
      slots[slot] = block
    }
  }

  @inline(never) private borrowing func replaceUntouched(_ operationCount: Int, _ random: inout Random) {
    draw(operationCount, &random) { slot, byteCount in
      heap.deallocate(slots[slot])
      slots[slot] = heap.allocate(byteCount)
    }
  }

  @inline(never) private borrowing func replaceSized(_ operationCount: Int, _ random: inout Random) {
    let extensions = MallocExtensions()
    draw(operationCount, &random) { slot, byteCount in
      extensions.deallocate(slots[slot], byteCount: Int(byteCounts[slot]))
      let block = heap.allocate(byteCount)
      block.touch(byteCount)
      slots[slot] = block
      byteCounts[slot] = UInt32(truncatingIfNeeded: byteCount)
    }
  }

  /// Draws a slot and a size that many times.
  @inline(__always) private borrowing func draw(
    _ operationCount: Int, _ random: inout Random, _ body: (_ slot: Int, _ byteCount: Int) -> Void
  ) {
    let count = UInt32(truncatingIfNeeded: slots.count)
    var left = operationCount
    while left != 0 {
      let (place, bits) = random.nextHalves()
      body(Random.scaled(place, below: count), sizes.size(bits))
      left &-= 1
    }
  }
}
