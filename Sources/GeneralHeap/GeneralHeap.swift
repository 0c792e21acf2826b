public import Addresses
internal import Assertions
internal import FirstFitHeap
public import MemoryProtocols

/// The general heap as a value, over memory of its owner: what `malloc` runs on, for one thread at a time.
///
/// The code is that of the process heap; what differs is where the memory comes from and that there is one thread heap.
/// The heap keeps to its range, which is thus a hard quota, and to a lower one if it is given. There is nothing to tear
/// down: with the heap's last use the memory, and every block in it, is its owner's again.
///
/// ```swift
/// var heap = GeneralHeap(over: region.range)
/// let block = heap.allocate(byteCount: 100, alignment: 16)
/// ```
public struct GeneralHeap: ~Copyable {
  /// The heap's memory, nil when its range was too small.
  private let space: HeapSpace?
  private let heap: ThreadHeap?
  private let rangeStart: VirtAddr

  private var usedByteCount: UInt = 0
  private var peakUsedByteCount: UInt = 0
  private var blockCount: UInt = 0
  private var peakEnd: UInt = 0

  /// A heap over `range` that takes at most `quotaByteCount` bytes of it for blocks and its own records.
  public init(over range: AddrRange<VirtAddr>, quotaByteCount: UInt) {
    rangeStart = range.start
    let usable = range.alignedInward(to: Span.byteCount)
    let space = HeapSpace.create(base: usable.start.raw, byteCount: usable.byteCount)
    space?.quotaByteCount = quotaByteCount
    let heap = space.flatMap { ThreadHeap.create(over: $0) }
    self.space = heap == nil ? nil : space
    self.heap = heap
  }

  /// Whether the range had room for a heap at all; if not, nothing can be allocated.
  public var isUsable: Bool { heap != nil }
}

extension GeneralHeap: HeapPolicy {
  public init(over range: AddrRange<VirtAddr>) {
    self.init(over: range, quotaByteCount: .max)
  }

  public mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    require(
      alignment != 0 && alignment & (alignment &- 1) == 0, "an alignment must be a power of two, found",
      UInt64(alignment))
    guard let heap, byteCount < UInt(Int.max) else { return nil }
    var block = take(byteCount: byteCount, alignment: alignment, from: heap)
    if block == 0, heap.releaseEmptySpans() { block = take(byteCount: byteCount, alignment: alignment, from: heap) }
    guard block != 0 else { return nil }
    usedByteCount += occupiedByteCount(VirtAddr(block))
    blockCount += 1
    notePeaks(VirtAddr(block))
    return VirtAddr(block)
  }

  /// A block that no figure counts yet, 0 when there is none at hand.
  private func take(byteCount: UInt, alignment: UInt, from heap: ThreadHeap) -> UInt {
    if byteCount > SizeClass.maximumByteCount || alignment > SizeClass.maximumByteCount {
      return heap.space.allocateInArena(byteCount: byteCount, alignment: alignment)
    }
    let rounded = alignment <= 16 ? byteCount : (max(byteCount, 1) + alignment - 1) & ~(alignment - 1)
    let sizeClass = SizeClass(fitting: rounded)
    let block = heap.popActive(sizeClass)
    return block != 0 ? block : heap.refill(sizeClass)
  }

  public mutating func deallocate(_ address: VirtAddr) {
    let (space, span) = find(address)
    usedByteCount -= occupiedByteCount(address)
    blockCount -= 1
    if span.kind == .arena {
      space.deallocateInArena(address.raw, slot: ProcessHeap.checkedSlot(address.raw, of: span, in: space))
    } else if let heap, heap.push(ProcessHeap.checkedBlock(address.raw, of: span), onto: span) {
      heap.handleEvent(span)
    }
  }

  public mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    let (space, span) = find(address)
    let before = occupiedByteCount(address)
    if span.kind == .arena, byteCount > SizeClass.maximumByteCount {
      guard space.resizeInArena(address.raw, byteCount: byteCount) else { return false }
    } else if byteCount > usableByteCount(of: address) {
      return false
    }
    usedByteCount = usedByteCount - before + occupiedByteCount(address)
    notePeaks(address)
    return true
  }

  public func usableByteCount(of address: VirtAddr) -> UInt {
    let (space, span) = find(address)
    if span.kind == .arena {
      let slot = ProcessHeap.checkedSlot(address.raw, of: span, in: space)
      return ArenaEntry(at: slot).byteCount
    }
    _ = ProcessHeap.checkedBlock(address.raw, of: span)
    return UInt(span.fields.blockByteCount)
  }

  /// What the heap holds now; the granules with its own records are no part of it.
  /// - Complexity: O(n) in the number of blocks: the holes are counted by a walk.
  public var statistics: HeapStatistics {
    var statistics = HeapStatistics()
    guard let layout else { return statistics }
    for granule in layout.firstGranule..<layout.endGranule where layout.space.span(granule).kind != .metadata {
      statistics.capacityByteCount += Span.byteCount
    }
    statistics.usedByteCount = usedByteCount
    statistics.blockCount = blockCount
    statistics.peakUsedByteCount = peakUsedByteCount
    statistics.peakExtentByteCount = peakEnd > rangeStart.raw ? peakEnd - rangeStart.raw : 0
    forEachBlock { block in
      if block.isFree {
        statistics.holeCount += 1
        statistics.freeByteCount += block.range.byteCount
        statistics.largestFreeByteCount = max(statistics.largestFreeByteCount, block.range.byteCount)
      }
    }
    return statistics
  }

  public var inUseByteCount: UInt { usedByteCount }

  /// A block's bytes, with its header if it has one.
  private func occupiedByteCount(_ address: VirtAddr) -> UInt {
    let usable = usableByteCount(of: address)
    return find(address).1.kind == .arena ? usable + BlockLayout.headerByteCount : usable
  }

  private mutating func notePeaks(_ address: VirtAddr) {
    peakUsedByteCount = max(peakUsedByteCount, usedByteCount)
    peakEnd = max(peakEnd, address.raw + usableByteCount(of: address))
  }

  /// The first block of the active list of a span's class.
  func activeBlock(of span: Span) -> UInt {
    heap.map { $0.fields.active[Int(span.fields.sizeClass)] } ?? 0
  }

  /// What `forEachBlock` walks over, nil for a heap without memory.
  var layout: (space: HeapSpace, first: UInt, end: UInt, firstGranule: UInt32, endGranule: UInt32)? {
    guard let space else { return nil }
    let base = space.fields.base
    let first = space.fields.firstGranule
    let end = space.fields.granuleCount
    return (
      space, base + first * Span.byteCount, base + end * Span.byteCount, UInt32(truncatingIfNeeded: first),
      UInt32(truncatingIfNeeded: end)
    )
  }

  /// The space and the granule of a block; ends the process for an address outside.
  private func find(_ address: VirtAddr) -> (HeapSpace, Span) {
    guard let space, let span = space.span(containing: address.raw) else {
      fail("free of a pointer that heaplab did not give out", UInt64(address.raw))
    }
    return (space, span)
  }
}

// SAFETY: what it points to lies in the range that is this heap's alone, so the heap can go to another thread as a whole.
extension GeneralHeap: @unchecked Sendable {}
