/// Asks for the usable sizes of random live blocks, as programs do that count their memory by them.
enum UsableSizes {
  @inline(never) static func run(_ operationCount: Int, _ sizes: DrawnSizes, count: Int) -> Elapsed {
    let heap = MallocFamily()
    let extensions = MallocExtensions()
    let blocks = MappedTable<Block>(count: count)
    var random = Random(seed: 1)
    for index in 0..<count { blocks[index] = heap.allocate(sizes.size(random.nextHalves().1)) }
    let total = MappedTable<Int>(count: 1)
    let elapsed = Clock.time {
      var sum = 0
      for _ in 0..<operationCount {
        let index = Random.scaled(random.nextHalves().0, below: UInt32(truncatingIfNeeded: count))
        sum &+= extensions.usableByteCount(of: blocks[index])
      }
      total[0] = sum
    }
    for index in 0..<count { heap.deallocate(blocks[index]) }
    return elapsed
  }
}
