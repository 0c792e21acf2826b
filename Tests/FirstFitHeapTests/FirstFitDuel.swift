import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

/// The heap and the plain list walk side by side, each given the same requests.
struct FirstFitDuel: ~Copyable {
  private let mix: OperationMix
  private let seed: UInt64
  private var generator: SeededGenerator
  private let memory: TestMemory
  private var heap = FirstFitHeap()
  private var plain = PlainFirstFit()
  private var live: [VirtAddr] = []
  private var step = 0
  private var refusedCount = 0
  private var peakHoleCount: UInt = 0

  /// The end of the heap's highest range, and how far up it may go.
  private var end: VirtAddr
  private let limit: VirtAddr

  init(_ mix: OperationMix, seed: UInt64) {
    self.mix = mix
    self.seed = seed
    generator = SeededGenerator(seed: seed)
    let gap: UInt = 100
    let sizes = mix.rangeByteCounts
    memory = TestMemory(byteCount: sizes.reduce(0) { $0 + $1 + gap }, offset: UInt(seed % 50))
    end = memory.range.start
    limit = memory.range.end
    // A heap may get its ranges in any order.
    var ranges: [AddrRange<VirtAddr>] = []
    for size in sizes {
      ranges.append(AddrRange(start: end + gap, byteCount: mix == .breathing ? size / 64 : size))
      end = ranges.last?.end ?? end
    }
    for range in ranges.shuffled(using: &generator) {
      heap.insert(range)
      if range.byteCount >= 128 { plain.insert(range) }
    }
  }

  /// Takes `count` steps, holding the heap against its own invariants every `interval` of them.
  ///
  /// - Returns: Whether both agreed at every step.
  mutating func run(steps count: Int, checkingEvery interval: Int) throws -> Bool {
    for _ in 0..<count {
      guard takeStep() else { return false }
      step += 1
      if step % interval == 0 {
        try heap.checkConsistency()
        peakHoleCount = max(peakHoleCount, heap.statistics.holeCount)
        guard freeBlocks() == plain.freeBlocks else { return differ("free blocks", nil, nil) }
      }
    }
    try heap.checkConsistency()
    return true
  }

  /// What was seen on the way.
  var summary: String { "up to \(peakHoleCount) holes, \(refusedCount) requests without room" }

  /// Frees every block and tells whether the heap is as it was at first.
  mutating func finish() throws -> Bool {
    while let address = live.popLast() {
      heap.deallocate(address)
      plain.deallocate(address)
    }
    try heap.checkConsistency()
    let statistics = heap.statistics
    return statistics.usedByteCount == 0 && statistics.blockCount == 0 && freeBlocks() == plain.freeBlocks
  }

  private mutating func takeStep() -> Bool {
    if mix == .breathing, step % 64 == 0 { return breathe() }
    if mix.allocates(step: step, live: live.count, using: &generator) {
      let byteCount = mix.byteCount(step: step, using: &generator)
      let alignment = mix.alignment(using: &generator)
      let address = heap.allocate(byteCount: byteCount, alignment: alignment)
      let expected = plain.allocate(byteCount: byteCount, alignment: alignment)
      if let address { live.append(address) } else { refusedCount += 1 }
      return address == expected || differ("allocate \(byteCount) at \(alignment)", address, expected)
    }
    let index = mix.victim(of: live.count, step: step, using: &generator)
    let address = live[index]
    if Int.random(in: 0..<100, using: &generator) < mix.resizeShare {
      let byteCount = mix.byteCount(step: step, using: &generator)
      let did = heap.resize(address, toByteCount: byteCount)
      let expected = plain.resize(address, toByteCount: byteCount)
      return did == expected || differ("resize to \(byteCount)", did ? address : nil, expected ? address : nil)
    }
    live.remove(at: index)
    heap.deallocate(address)
    plain.deallocate(address)
    return true
  }

  /// Moves the heap's end up or cuts off its top.
  private mutating func breathe() -> Bool {
    let old = end
    if Bool.random(using: &generator) {
      let byteCount = UInt.random(in: 0...min(30_000, limit.raw - end.raw), using: &generator)
      heap.extend(by: byteCount)
      end = end + byteCount
    } else if let cut = heap.truncate(alignment: 1 << UInt.random(in: 0...12, using: &generator)) {
      guard cut.end == end else { return differ("truncate", cut.end, end) }
      end = cut.start
    }
    plain.moveEnd(from: old, to: end)
    return true
  }

  private func freeBlocks() -> [AddrRange<VirtAddr>] {
    var blocks: [AddrRange<VirtAddr>] = []
    heap.forEachBlock { if $0.isFree { blocks.append($0.range) } }
    return blocks
  }

  private func differ(_ what: String, _ heap: VirtAddr?, _ plain: VirtAddr?) -> Bool {
    let heap = heap?.description ?? "nil"
    let plain = plain?.description ?? "nil"
    Issue.record("mix \(mix.rawValue), seed \(seed), step \(step), \(what): heap \(heap), list walk \(plain)")
    return false
  }
}
