/// A heap that is filled and then freed block by block. Every byte of every block is written.
struct FreedHeap: ~Copyable {
  private let heap = MallocFamily()
  private let blocks: MappedTable<Block>
  /// How many blocks are left.
  private(set) var count = 0

  /// Fills a heap of `byteCount` bytes.
  init(_ sizes: SizeRange, byteCount: Int) {
    blocks = MappedTable(count: byteCount / sizes.least + 1)
    var random = Random(seed: 1)
    var liveByteCount = 0
    while liveByteCount < byteCount {
      let size = sizes.draw(&random)
      let block = heap.allocate(size)
      block.fill(to: size)
      blocks[count] = block
      count += 1
      liveByteCount += size
    }
  }

  /// Puts the blocks into the order in which they will be freed, from the last to the first.
  mutating func arrange(_ order: FreeOrder) {
    var random = Random(seed: 2)
    for index in stride(from: count - 1, to: 0, by: -1) {
      switch order {
      case .random: swap(index, random.below(index + 1))
      case .firstFirst: if index > (count - 1) / 2 { swap(index, count - 1 - index) }
      }
    }
  }

  private func swap(_ first: Int, _ second: Int) { (blocks[first], blocks[second]) = (blocks[second], blocks[first]) }

  /// Frees the next block; there must be one.
  @inline(__always) mutating func deallocateNext() {
    count &-= 1
    heap.deallocate(blocks[count])
  }
}
