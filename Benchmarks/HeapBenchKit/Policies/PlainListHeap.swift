public import Addresses
import Assertions
public import MemoryProtocols

// Address-ordered first fit as in the textbook (Knuth, TAOCP 1, 2.5, algorithms A and B): every request and every free
// walks a list of the holes from its start. It is the yardstick for FirstFitHeap, and returns the same addresses, in
// O(n) for n holes instead of O(log n).
//
//   block: | size, bit 0 set when in use | content ... |          hole: | size | address of the next hole | ... |

/// A first-fit heap that walks a list of its holes.
public struct PlainListHeap: ~Copyable, HeapPolicy, Sendable {
  /// The lowest hole; 0 without one. Each hole holds the address of the next.
  var head: UInt = 0
  /// The start of the lowest block, the same as in FirstFitHeap.
  let first: UInt
  let end: UInt
  var counts = HeapStatistics()

  public init(over range: AddrRange<VirtAddr>) {
    let start = (max(range.start.raw, 1) + 15) & ~15 + 40
    guard range.end.raw >= start + 32 else {
      (first, end) = (start, start)
      return
    }
    first = start
    end = start + (range.end.raw - start) & ~15
    counts.capacityByteCount = end - first
    head = first
    setHole(at: first, byteCount: end - first, next: 0)
  }

  public mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    require(alignment.isPowerOfTwo, "an alignment must be a power of two, found", UInt64(alignment))
    guard byteCount < end - first else { return nil }
    let need = Self.blockByteCount(for: byteCount)
    var previous: UInt = 0
    var hole = head
    while hole != 0 {
      let holeEnd = hole + word(hole)
      if let start = Self.place(need: need, alignment: alignment, from: hole, to: holeEnd) {
        return take(start, need: need, from: hole, after: previous)
      }
      previous = hole
      hole = word(hole + 8)
    }
    return nil
  }

  public mutating func deallocate(_ address: VirtAddr) {
    let start = block(at: address)
    counts.blockCount -= 1
    counts.usedByteCount -= word(start) - 1
    release(start, to: start + word(start) - 1)
  }

  public mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    let start = block(at: address)
    guard byteCount < end - first else { return false }
    let need = Self.blockByteCount(for: byteCount)
    let blockEnd = start + word(start) - 1
    let (previous, above) = holes(around: start)
    if start + need > blockEnd {
      guard above == blockEnd, above + word(above) - start >= need else { return false }
      let next = cut(from: start + need, to: above + word(above), next: word(above + 8))
      link(previous, to: next.hole)
      counts.usedByteCount -= blockEnd - start
      setInUse(start, byteCount: next.start - start)
    } else if start + need < blockEnd, above == blockEnd || blockEnd == end || blockEnd - start - need >= 32 {
      counts.usedByteCount -= blockEnd - start
      setInUse(start, byteCount: need)
      release(start + need, to: blockEnd)
    }
    return true
  }

  public func usableByteCount(of address: VirtAddr) -> UInt { word(block(at: address)) - 1 - 8 }

  public func forEachBlock(_ body: (HeapBlock) -> Void) {
    var start = first
    while start < end {
      let byteCount = word(start) & ~1
      body(HeapBlock(range: AddrRange(start: VirtAddr(start), byteCount: byteCount), isFree: word(start) & 1 == 0))
      start += byteCount
    }
  }

  public var statistics: HeapStatistics {
    var statistics = counts
    statistics.freeByteCount = counts.capacityByteCount - counts.usedByteCount
    var hole = head
    while hole != 0 {
      statistics.holeCount += 1
      statistics.largestFreeByteCount = max(statistics.largestFreeByteCount, word(hole))
      hole = word(hole + 8)
    }
    return statistics
  }
}
