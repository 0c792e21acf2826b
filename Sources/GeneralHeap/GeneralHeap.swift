public import Addresses
internal import Assertions
internal import FirstFitHeap
internal import HeapBlocks
internal import HeapSpaces
public import MemoryProtocols
internal import ThreadHeaps

/// The general heap as a value, over memory of its owner: the allocator behind `malloc`, for one thread at a time.
///
/// It runs the same spaces and thread heaps as the process heap, but has one thread heap and gets its memory from its
/// owner. The heap keeps to its range, which is thus a hard quota, and to a lower quota if one is given. There is
/// nothing to tear down: after the heap's last use the memory, and every block in it, is its owner's again.
///
/// ```swift
/// var heap = GeneralHeap(over: region.range)
/// let block = heap.allocate(byteCount: 100, alignment: 16)
/// ```
public struct GeneralHeap: ~Copyable {
  /// The heap, nil when its range was too small.
  let heap: ThreadHeap?
  private let rangeStart: VirtAddr

  private var usedByteCount: UInt = 0
  private var peakUsedByteCount: UInt = 0
  private var blockCount: UInt = 0
  private var peakEnd: UInt = 0

  /// A heap over `range` that takes at most `quotaByteCount` bytes of it for blocks and its own records.
  public init(over range: AddrRange<VirtAddr>, quotaByteCount: UInt) {
    rangeStart = range.start
    let usable = range.alignedInward(to: Granule.byteCount)
    let space = HeapSpace.create(base: usable.start.raw, byteCount: usable.byteCount)
    space?.quotaByteCount = quotaByteCount
    heap = space.flatMap { ThreadHeap.create(over: $0) }
  }

  /// Whether the range had room for a heap at all; if not, nothing can be allocated.
  public var isUsable: Bool { heap != nil }
}

extension GeneralHeap: HeapPolicy {
  public init(over range: AddrRange<VirtAddr>) {
    self.init(over: range, quotaByteCount: .max)
  }

  public mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    require(alignment.isPowerOfTwo, "an alignment must be a power of two, found", UInt64(alignment))
    guard let heap, byteCount < UInt(Int.max) else { return nil }
    var block = take(byteCount: byteCount, alignment: alignment, from: heap)
    if block == 0 {
      // Blocks in magazines keep holes of arenas apart; empty spans and the arenas' free ends keep granules.
      heap.releaseEmptySpans()
      _ = heap.space.reclaimArenas()
      block = take(byteCount: byteCount, alignment: alignment, from: heap)
    }
    guard block != 0 else { return nil }
    blockCount += 1
    noteUsed(extent(of: block, in: heap.space.granuleUnchecked(around: block)))
    return VirtAddr(block)
  }

  /// A block that is not counted yet; 0 when there is no memory.
  private func take(byteCount: UInt, alignment: UInt, from heap: ThreadHeap) -> UInt {
    if byteCount > SizeClass.maximumByteCount || alignment > SizeClass.maximumByteCount {
      return heap.space.allocateInArena(byteCount: byteCount, alignment: alignment)
    }
    let rounded = alignment <= 16 ? byteCount : SizeClass.byteCount(byteCount, alignedTo: alignment)
    let sizeClass = SizeClass(fitting: rounded)
    if alignment > 16, sizeClass.blockByteCount > Granule.pageByteCount {
      return heap.takeFromArena(sizeClass, alignment: alignment)
    }
    let block = sizeClass.hasMagazine ? heap.popMagazine(sizeClass) : heap.popActive(sizeClass)
    return block != 0 ? block : heap.refill(sizeClass)
  }

  public mutating func deallocate(_ address: VirtAddr) {
    let (heap, granule) = find(address)
    let extent = checkedExtent(of: address, in: granule, of: heap)
    usedByteCount -= extent.occupiedByteCount
    blockCount -= 1
    if granule.use == .arena {
      heap.space.deallocateInArena(address.raw)
    } else if granule.span.push(FreeBlock(address.raw)) {
      heap.handleEvent(granule.span)
    }
  }

  public mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    let (heap, granule) = find(address)
    let before = checkedExtent(of: address, in: granule, of: heap)
    if granule.use == .arena, byteCount > SizeClass.maximumByteCount, !granule.arenaPart.isClassBlock(address.raw) {
      guard heap.space.resizeInArena(address.raw, byteCount: byteCount) else { return false }
    } else if byteCount > before.end - address.raw {
      return false
    }
    usedByteCount -= before.occupiedByteCount
    noteUsed(extent(of: address.raw, in: granule))
    return true
  }

  public func usableByteCount(of address: VirtAddr) -> UInt {
    let (heap, granule) = find(address)
    return checkedExtent(of: address, in: granule, of: heap).end - address.raw
  }

  /// What the heap holds now, without the granules of its own records.
  /// - Complexity: O(n) in the number of blocks: a walk counts the holes.
  public var statistics: HeapStatistics {
    var statistics = HeapStatistics()
    guard let space = heap?.space else { return statistics }
    for granule in granules(of: space) where space.granule(granule).use != .metadata {
      statistics.capacityByteCount += Granule.byteCount
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
}

// Addresses and extents of blocks.
extension GeneralHeap {
  /// The end of a block, and how many bytes it occupies, its header included.
  private struct Extent {
    let end: UInt
    let occupiedByteCount: UInt
  }

  /// The extent of a block in use.
  private func extent(of address: UInt, in granule: Granule) -> Extent {
    if granule.use == .arena {
      let byteCount = granule.arenaPart.blockByteCount(at: address)
      return Extent(end: address + byteCount - BlockLayout.headerByteCount, occupiedByteCount: byteCount)
    }
    let byteCount = UInt(granule.span.blockByteCount)
    return Extent(end: address + byteCount, occupiedByteCount: byteCount)
  }

  /// The same. Ends the process unless the block is in use.
  private func checkedExtent(of address: VirtAddr, in granule: Granule, of heap: ThreadHeap) -> Extent {
    if granule.use == .arena {
      granule.arenaPart.checkBlock(at: address.raw) { heap.isCached($0) }
    } else {
      _ = granule.span.checkedBlock(address.raw) { heap.isListed($0, of: granule.span) }
    }
    return extent(of: address.raw, in: granule)
  }

  private mutating func noteUsed(_ extent: Extent) {
    usedByteCount += extent.occupiedByteCount
    peakUsedByteCount = max(peakUsedByteCount, usedByteCount)
    peakEnd = max(peakEnd, extent.end)
  }

  /// The heap and the granule around an address. Ends the process for an address outside.
  private func find(_ address: VirtAddr) -> (ThreadHeap, Granule) {
    guard let heap, let granule = heap.space.granule(around: address.raw) else {
      fail("free of a pointer that heaplab did not give out", UInt64(address.raw))
    }
    return (heap, granule)
  }

  /// The numbers of the granules behind a space's tables.
  func granules(of space: HeapSpace) -> Range<UInt32> {
    UInt32(truncatingIfNeeded: space.fields.firstGranule)..<UInt32(truncatingIfNeeded: space.fields.granuleCount)
  }
}

// SAFETY: all its pointers lead into the range that belongs to this heap alone. The heap can thus move to another
// thread as a whole.
extension GeneralHeap: @unchecked Sendable {}
