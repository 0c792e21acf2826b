/// Batches of blocks of sizes that were just drawn: allocates them all, then frees them all in the same order.
struct DrawnBatches: ~Copyable {
  private let heap = MallocFamily()
  private let sizes: DrawnSizes
  private let blocks: MappedTable<Block>

  /// Batches of `count` blocks.
  init(_ sizes: DrawnSizes, count: Int) {
    self.sizes = sizes
    blocks = MappedTable(count: count)
  }

  @inline(never) borrowing func run(_ operationCount: Int) -> Elapsed {
    var random = Random(seed: 1)
    return Clock.time {
      var left = operationCount
      while left > 0 {
        let count = min(left, blocks.count)
        for index in 0..<count {
          let block = heap.allocate(sizes.size(random.nextHalves().1))
          block.touch(index)
          blocks[index] = block
        }
        for index in 0..<count { heap.deallocate(blocks[index]) }
        left -= count
      }
    }
  }
}
