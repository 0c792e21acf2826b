import Addresses
import MemoryProtocols

/// A first-fit heap without headers, which keeps its records outside its memory: its layout can be worked out by hand.
struct HeaderlessHeap: ~Copyable, HeapPolicy, Sendable {
  private let range: AddrRange<VirtAddr>
  private var sizes: [VirtAddr: UInt] = [:]
  private var highestEnd: VirtAddr

  init(over range: AddrRange<VirtAddr>) {
    self.range = range
    highestEnd = range.start
  }

  mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    let size = (max(byteCount, 1) + 15) & ~15
    for hole in holes {
      let start = hole.start.alignedUp(to: alignment)
      guard start <= hole.end, hole.end.raw - start.raw >= size else { continue }
      sizes[start] = size
      highestEnd = max(highestEnd, start + size)
      return start
    }
    return nil
  }

  mutating func deallocate(_ address: VirtAddr) { sizes[address] = nil }

  mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    byteCount <= usableByteCount(of: address)
  }

  func usableByteCount(of address: VirtAddr) -> UInt { sizes[address] ?? 0 }

  func forEachBlock(_ body: (HeapBlock) -> Void) {
    let used = sizes.map { HeapBlock(range: AddrRange(start: $0, byteCount: $1), isFree: false) }
    let free = holes.map { HeapBlock(range: $0, isFree: true) }
    for block in (used + free).sorted(by: { $0.range.start < $1.range.start }) { body(block) }
  }

  var statistics: HeapStatistics {
    var statistics = HeapStatistics()
    statistics.usedByteCount = sizes.values.reduce(0, +)
    statistics.capacityByteCount = range.byteCount
    statistics.freeByteCount = range.byteCount - statistics.usedByteCount
    statistics.peakExtentByteCount = highestEnd.raw - range.start.raw
    return statistics
  }

  private var holes: [AddrRange<VirtAddr>] {
    var holes: [AddrRange<VirtAddr>] = []
    var start = range.start
    for (address, size) in sizes.sorted(by: { $0.key < $1.key }) {
      if start < address { holes.append(AddrRange(start: start, end: address)) }
      start = address + size
    }
    if start < range.end { holes.append(AddrRange(start: start, end: range.end)) }
    return holes
  }
}
