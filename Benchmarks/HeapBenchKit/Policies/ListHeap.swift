public import Addresses
import Assertions
public import MemoryProtocols

// The other classic policies over the list of PlainListHeap. They differ from first fit in one thing: which of the holes
// that fit a request gets it. Blocks, merging and resizing are the same, so what a replay shows is that choice alone.

/// A choice among the holes of a list.
public protocol HoleChoice: Sendable {
  init()
  /// Whether a hole that fits is better than the best one so far, which has `bestByteCount` bytes.
  func prefers(_ byteCount: UInt, to bestByteCount: UInt) -> Bool
  /// Where the walk starts; the first hole at or above this address is the first one.
  var start: UInt { get }
  /// Notes where a block ends that was placed.
  mutating func didPlace(endingAt end: UInt)
}

extension HoleChoice {
  public var start: UInt { 0 }
  public mutating func didPlace(endingAt end: UInt) {}
}

/// The first hole that fits behind the last allocation.
public struct NextFit: HoleChoice {
  public private(set) var start: UInt = 0
  public init() {}
  public func prefers(_ byteCount: UInt, to bestByteCount: UInt) -> Bool { false }
  public mutating func didPlace(endingAt end: UInt) { start = end }
}

/// The smallest hole that fits.
public struct BestFit: HoleChoice {
  public init() {}
  public func prefers(_ byteCount: UInt, to bestByteCount: UInt) -> Bool { byteCount < bestByteCount }
}

/// The largest hole.
public struct WorstFit: HoleChoice {
  public init() {}
  public func prefers(_ byteCount: UInt, to bestByteCount: UInt) -> Bool { byteCount > bestByteCount }
}

/// A heap whose holes are in a list, by one of the classic choices. Every request walks the list: O(n) for n holes.
public struct ListHeap<Choice: HoleChoice>: ~Copyable, HeapPolicy, Sendable {
  private var list: PlainListHeap
  private var choice = Choice()
  /// Whether the first hole that fits is as good as any.
  private let takesFirst = Choice.self == NextFit.self

  public init(over range: AddrRange<VirtAddr>) { list = PlainListHeap(over: range) }

  public mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    require(alignment.isPowerOfTwo, "an alignment must be a power of two, found", UInt64(alignment))
    guard byteCount < list.end - list.first else { return nil }
    let need = PlainListHeap.blockByteCount(for: byteCount)
    // The walk goes from the choice's start to the end, and from the list's head up to the start.
    let (below, above) = choice.start == 0 ? (0, list.head) : list.holes(around: choice.start)
    var best = search(need, alignment, from: above, after: below, to: 0)
    if best == nil, above != list.head { best = search(need, alignment, from: list.head, after: 0, to: above) }
    guard let best else { return nil }
    let address = list.take(best.start, need: need, from: best.hole, after: best.previous)
    choice.didPlace(endingAt: best.start + need)
    return address
  }

  /// The best place in the holes from `first`, which follows `previous`, up to but not including `last`.
  private func search(
    _ need: UInt, _ alignment: UInt, from first: UInt, after previous: UInt, to last: UInt
  ) -> (start: UInt, hole: UInt, previous: UInt)? {
    var best: (start: UInt, hole: UInt, previous: UInt)?
    var (hole, previous) = (first, previous)
    while hole != last {
      let byteCount = list.word(hole)
      if best.map({ choice.prefers(byteCount, to: list.word($0.hole)) }) ?? true,
        let start = PlainListHeap.place(need: need, alignment: alignment, from: hole, to: hole + byteCount)
      {
        best = (start, hole, previous)
        if takesFirst { return best }
      }
      (previous, hole) = (hole, list.word(hole + 8))
    }
    return best
  }

  public mutating func deallocate(_ address: VirtAddr) { list.deallocate(address) }

  public mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    list.resize(address, toByteCount: byteCount)
  }

  public func usableByteCount(of address: VirtAddr) -> UInt { list.usableByteCount(of: address) }

  public func forEachBlock(_ body: (HeapBlock) -> Void) { list.forEachBlock(body) }

  public var statistics: HeapStatistics { list.statistics }
}
