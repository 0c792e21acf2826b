internal import Addresses
internal import CLabMalloc
internal import Assertions
internal import FirstFitHeap

// Blocks above 32 KiB: from the thread's cache, from an arena, and above 32 MiB from the system.

extension ProcessHeap {
  /// The largest request that an arena serves; a larger one is a mapping of its own.
  static var arenaMaximumByteCount: UInt { 32 << 20 }

  /// A block of more than 32 KiB, or of a larger alignment, 0 when there is no memory. Its bytes are 0 if `zeroed`.
  static func allocateLarge(_ byteCount: UInt, alignment: UInt, zeroed: Bool = false, from heap: ThreadHeap) -> UInt {
    let block = allocateLargeOnce(byteCount, alignment: alignment, zeroed: zeroed, from: heap)
    return block != 0 || !reclaim(heap)
      ? block : allocateLargeOnce(byteCount, alignment: alignment, zeroed: zeroed, from: heap)
  }

  private static func allocateLargeOnce(
    _ byteCount: UInt, alignment: UInt, zeroed: Bool, from heap: ThreadHeap
  ) -> UInt {
    if byteCount <= arenaMaximumByteCount, alignment <= arenaMaximumByteCount {
      let block = heap.space.allocateInArena(byteCount: byteCount, alignment: alignment, zeroed: zeroed)
      if block != 0 { return block }
    }
    let block = MappedBlocks.allocate(byteCount: byteCount, alignment: alignment)
    // Under a limit of the address space the space has most of it.
    let isForSpace = byteCount > arenaMaximumByteCount && byteCount >> 16 < heap.space.fields.granuleCount
    guard block == 0, isForSpace, alignment <= arenaMaximumByteCount else { return block }
    return heap.space.allocateInArena(byteCount: byteCount, alignment: alignment, zeroed: zeroed)
  }

  /// Takes back what a thread's own lists take right beside the hot path: a block of a class with a stack, or of an
  /// arena. False when the block is neither, or something about it is for another path.
  @inline(__always)
  static func deallocateNear(_ address: UInt, _ span: Span, _ heap: ThreadHeap) -> Bool {
    let block = FreeBlock(address)
    if span.fields.owner == heap.address | 1 {
      guard ThreadHeap.isBlockStart(address, of: span), block.markWord != FreeBlock.mark else { return false }
      return heap.pushStacked(block, of: span)
    }
    guard span.kind == .arena else { return false }
    var entry = ArenaEntry(at: span.firstEntrySlot)
    if !entry.describes(address) { entry = ArenaEntry(at: span.secondEntrySlot) }
    guard entry.describes(address), address & 15 == 0, block.markWord != FreeBlock.mark,
      FirstFitHeap.isHeaderIntact(of: VirtAddr(address), blockByteCount: entry.blockByteCount)
    else { return false }
    return heap.pushCached(block, entry)
  }

  /// Takes back what goes neither onto a stack nor into the cache: a block of another thread's span, or of one that a purge
  /// took pages of. False when something about it is for the slow path.
  @inline(__always)
  static func deallocateElsewhere(_ address: UInt, _ span: Span, _ heap: ThreadHeap) -> Bool {
    let block = FreeBlock(address)
    if span.fields.owner == heap.address | 1 {
      guard isBlockOfPurged(address, in: span), block.markWord != FreeBlock.mark else { return false }
      return heap.pushStacked(block, of: span)
    }
    if span.fields.owner == heap.address { return deallocatePurged(block, of: span, to: heap) }
    // The empty heap has no batch, and an arena's granule no owner.
    guard span.fields.owner != 0, ThreadHeap.isBlockStart(address, of: span), block.markWord != FreeBlock.mark
    else { return false }
    let granule = (address &+ UInt(lab_malloc_space_negative_base())) / Span.byteCount
    return heap.pushOutgoing(block, granule: UInt32(truncatingIfNeeded: granule))
  }

  /// Takes back a block of one of this thread's spans that a purge took pages of, which the hot path leaves alone; false
  /// for a block that is not in use, and when the span's event is due.
  @inline(__always)
  private static func deallocatePurged(_ block: FreeBlock, of span: Span, to heap: ThreadHeap) -> Bool {
    guard span.fields.pending > 1, block.markWord != FreeBlock.mark, isBlockOfPurged(block.address, in: span)
    else { return false }
    return !heap.push(block, onto: span)
  }

  /// Whether `address` is the start of a block of a span that a purge took pages of, and of none of those.
  @inline(__always)
  private static func isBlockOfPurged(_ address: UInt, in span: Span) -> Bool {
    ThreadHeap.isAnyBlockStart(address, of: span) && isPresent(address, in: span)
  }

  /// Takes back a block of an arena that the thread's cache did not take.
  static func deallocateInArena(_ address: UInt, of span: Span) {
    let slot = checkedSlot(address, of: span)
    let entry = ArenaEntry(at: slot)
    require(
      FirstFitHeap.isHeaderIntact(of: VirtAddr(address), blockByteCount: entry.blockByteCount),
      "heap corrupted, something wrote past the block below the one at", UInt64(address))
    // In an interrupted slow path the arena may be half changed: the block is lost.
    guard let heap = enter() else { return }
    let block = FreeBlock(address)
    if !heap.pushCached(block, entry) {
      heap.makeCacheRoom(for: entry.blockByteCount)
      if !heap.pushCached(block, entry) { heap.space.deallocateInArena(address, slot: slot) }
    }
    leave(heap)
  }

  /// The entry of the live block at `address`; ends the process when there is none.
  static func checkedSlot(_ address: UInt, of span: Span, in space: HeapSpace = processSpace) -> UInt {
    let slot = space.entrySlot(address, of: span)
    require(slot != 0, "free of a pointer that heaplab did not give out, or gave out once", UInt64(address))
    let block = FreeBlock(address)
    require(!block.looksFree || !isCached(block, ArenaEntry(at: slot)), "double free", UInt64(address))
    return slot
  }
}
