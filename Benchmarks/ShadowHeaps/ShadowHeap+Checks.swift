import Addresses
import MemoryProtocols

// The checks between requests, and a run of seeded requests.

extension ShadowHeap where Policy: ~Copyable {
  /// Checks the policy's walk and figures against each other and against the blocks that the model knows.
  public func checkAccounting() throws(ShadowFinding) {
    let statistics = policy.statistics
    var used: [AddrRange<VirtAddr>] = []
    var free: [AddrRange<VirtAddr>] = []
    var last = VirtAddr.null
    var isOrdered = true
    policy.forEachBlock { block in
      isOrdered = isOrdered && last <= block.range.start && !block.range.isEmpty
      last = block.range.end
      if block.isFree { free.append(block.range) } else { used.append(block.range) }
    }
    func total(_ ranges: [AddrRange<VirtAddr>]) -> UInt { ranges.reduce(0) { $0 + $1.byteCount } }
    func expect(_ holds: Bool, _ what: String) throws(ShadowFinding) {
      if !holds { throw ShadowFinding("\(what): \(statistics)") }
    }
    try expect(isOrdered, "the walk is not in address order")
    try expect(used.count == blocks.count, "the walk shows \(used.count) blocks in use, the model has \(blocks.count)")
    try expect(statistics.blockCount == UInt(used.count), "the block count differs from the walk's \(used.count)")
    try expect(statistics.holeCount == UInt(free.count), "the hole count differs from the walk's \(free.count)")
    try expect(statistics.usedByteCount == total(used), "the used bytes differ from the walk's \(total(used))")
    try expect(statistics.freeByteCount == total(free), "the free bytes differ from the walk's \(total(free))")
    let largest = free.map(\.byteCount).max() ?? 0
    try expect(statistics.largestFreeByteCount == largest, "the largest free block differs from the walk's \(largest)")
    try expect(
      statistics.capacityByteCount == statistics.usedByteCount + statistics.freeByteCount,
      "used and free bytes do not make the capacity")
    try expect(statistics.peakUsedByteCount >= statistics.usedByteCount, "the peak is below the used bytes")
    for (block, range) in zip(blocks.sorted { $0.address < $1.address }, used) {
      try expect(
        range.start <= block.address && block.address + block.usableByteCount <= range.end,
        "the walk shows no block in use around \(block.address)")
    }
  }

  /// Takes seeded random steps with about `liveCount` live blocks and a check after every `interval` steps; then
  /// deallocates everything and checks that nothing is left.
  ///
  /// - Parameter afterCheck: A further check of the policy, run at the same times.
  public mutating func run(
    steps: Int, seed: UInt64, liveCount: Int, largestByteCount: UInt, checkingEvery interval: Int = 100,
    afterCheck: (borrowing Policy) throws -> Void = { _ in }
  ) throws {
    var generator = SeededGenerator(seed: seed)
    for step in 1...steps {
      let byteCount = UInt.random(in: 0...UInt.random(in: 0...largestByteCount, using: &generator), using: &generator)
      if blocks.isEmpty || Int.random(in: 0..<(2 * liveCount), using: &generator) >= blocks.count {
        let alignment = Int.random(in: 0..<4, using: &generator) == 0 ? UInt.random(in: 0...10, using: &generator) : 4
        _ = try allocate(byteCount: byteCount, alignment: 1 << alignment)
      } else if Int.random(in: 0..<4, using: &generator) == 0 {
        _ = try resize(at: Int.random(in: 0..<blocks.count, using: &generator), toByteCount: byteCount)
      } else {
        try deallocate(at: Int.random(in: 0..<blocks.count, using: &generator))
      }
      if step % interval == 0 {
        try checkAccounting()
        try afterCheck(policy)
      }
    }
    try deallocateAll()
    try checkAccounting()
    try afterCheck(policy)
    guard policy.statistics.usedByteCount == 0, policy.statistics.blockCount == 0 else {
      throw ShadowFinding("bytes are in use after every block was given back: \(policy.statistics)")
    }
  }
}
