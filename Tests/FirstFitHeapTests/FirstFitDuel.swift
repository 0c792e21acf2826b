import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

/// Runs the heap and the plain list walk side by side on the same requests.
struct FirstFitDuel: ~Copyable {
  private let mix: OperationMix
  private let search: FirstFitSearch
  private let seed: UInt64
  private var generator: SeededGenerator
  private let memory: TestMemory
  private var heap = FirstFitHeap()
  private var plain = PlainFirstFit()
  private var live: [VirtAddr] = []
  private var step = 0
  private var refusedCount = 0
  private var peakHoleCount: UInt = 0

  /// The heap's ranges, and the parts that it released.
  private var ranges: [AddrRange<VirtAddr>] = []
  private var shed: [AddrRange<VirtAddr>] = []

  /// Where the records of ranges would start without a table, by the starts of the ranges.
  private var starts: [VirtAddr: VirtAddr] = [:]

  /// The end of the heap's highest range, and its upper limit.
  private var end: VirtAddr
  private let limit: VirtAddr

  init(_ mix: OperationMix, search: FirstFitSearch, seed: UInt64) {
    self.mix = mix
    self.search = search
    self.seed = seed
    generator = SeededGenerator(seed: seed)
    let gap: UInt = 100
    let sizes = mix.rangeByteCounts
    memory = TestMemory(byteCount: sizes.reduce(0) { $0 + $1 + gap }, offset: UInt(seed % 50))
    end = memory.range.start
    limit = memory.range.end
    // The heap must accept its ranges in any order.
    for size in sizes {
      ranges.append(AddrRange(start: end + gap, byteCount: mix == .breathing ? size / 64 : size))
      end = ranges.last?.end ?? end
    }
    for range in ranges.shuffled(using: &generator) {
      heap.insert(range, search: search)
      if range.byteCount >= 128 { plain.insert(blocks(of: range)) }
    }
  }

  /// Takes `count` steps and checks the heap's invariants every `interval` of them.
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

  /// The figures of the run.
  var summary: String { "up to \(peakHoleCount) holes, \(refusedCount) requests without room" }

  /// Frees every block and returns whether the heap is back in its first state.
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
    if mix == .shedding, step % 16 == 0 { return shedOrRegain() }
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

  /// Cuts the free parts off the ranges, or returns a part of the cut ones to the heap.
  private mutating func shedOrRegain() -> Bool {
    if !shed.isEmpty, Bool.random(using: &generator) {
      let part = shed.remove(at: Int.random(in: 0..<shed.count, using: &generator))
      if let index = ranges.firstIndex(where: { $0.end == part.start }) {
        heap.insert(part)
        ranges[index] = AddrRange(start: ranges[index].start, end: part.end)
        plain.moveEnd(from: part.start, to: part.end)
      } else if part.byteCount >= 128 {
        heap.insert(part, search: search)
        ranges.append(part)
        plain.insert(blocks(of: part))
      }
    } else {
      let alignment: UInt = 1 << UInt.random(in: 0...12, using: &generator)
      let floor = Bool.random(using: &generator) ? .null : ranges.randomElement(using: &generator)?.end
      var cuts: [AddrRange<VirtAddr>] = []
      heap.truncateRanges(alignment: alignment, above: floor ?? .null) { cuts.append($0) }
      for cut in cuts {
        guard let index = ranges.firstIndex(where: { $0.end == cut.end }), cut.start >= floor ?? cut.start else {
          return differ("truncateRanges", cut.start, floor)
        }
        // A range starts at a multiple of 16, whatever the start of the memory it was made of.
        if ranges[index].start.alignedUp(to: 16) == cut.start {
          let range = ranges.remove(at: index)
          plain.remove(AddrRange(start: starts[range.start] ?? range.start, end: range.end))
        } else {
          ranges[index] = AddrRange(start: ranges[index].start, end: cut.start)
          plain.moveEnd(from: cut.end, to: cut.start)
        }
      }
      shed += cuts
    }
    return freeBlocks() == plain.freeBlocks || differ("free blocks after truncateRanges", nil, nil)
  }

  /// The range as the plain list walk, which knows no tables, has to see it.
  private mutating func blocks(of range: AddrRange<VirtAddr>) -> AddrRange<VirtAddr> {
    let start = range.start.alignedUp(to: 16)
    let byteCount = search == .table ? BlockLayout.tableByteCount(forRangeOf: range.end.raw - start.raw) : 0
    starts[range.start] = start + byteCount
    return AddrRange(start: start + byteCount, end: range.end)
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
