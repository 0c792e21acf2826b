internal import Addresses
internal import CLabMalloc
internal import Contracts
internal import FirstFitHeap

// Blocks above 32 KiB: from the thread's cache, from an arena, and above 1 MiB from the system.

extension ProcessHeap {
  /// The largest request that an arena serves; a larger one is a mapping of its own.
  static var arenaMaximumByteCount: UInt { 1 << 20 }

  /// A block of more than 32 KiB, or of a larger alignment, 0 when there is no memory.
  static func allocateLarge(_ byteCount: UInt, alignment: UInt, from heap: ThreadHeap) -> UInt {
    let block = allocateLargeOnce(byteCount, alignment: alignment, from: heap)
    return block != 0 || !reclaim(heap) ? block : allocateLargeOnce(byteCount, alignment: alignment, from: heap)
  }

  private static func allocateLargeOnce(_ byteCount: UInt, alignment: UInt, from heap: ThreadHeap) -> UInt {
    if byteCount <= arenaMaximumByteCount, alignment <= arenaMaximumByteCount {
      if alignment <= 16, byteCount > SizeClass.maximumByteCount {
        let cached = heap.popCached(byteCount)
        if cached != 0 { return cached }
      }
      let block = heap.space.allocateInArena(byteCount: byteCount, alignment: alignment)
      if block != 0 { return block }
    }
    return MappedBlocks.allocate(byteCount: byteCount, alignment: alignment)
  }

  /// Takes back a block of an arena: into the thread's cache if it takes it.
  static func deallocateInArena(_ address: UInt, of span: Span) {
    let slot = checkedSlot(address, of: span)
    let entry = ArenaEntry(word: UInt(lab_malloc_word(CUnsignedLong(slot))))
    require(
      FirstFitHeap.isHeaderIntact(of: VirtAddr(address), usableByteCount: entry.byteCount),
      "heap corrupted, something wrote past the block below the one at", UInt64(address))
    // In an interrupted slow path the arena may be half changed: the block is lost.
    guard let heap = enter() else { return }
    if !heap.pushCached(address, slot: slot, byteCount: entry.byteCount) {
      heap.flushCache()
      if !heap.pushCached(address, slot: slot, byteCount: entry.byteCount) {
        heap.space.deallocateInArena(address, slot: slot)
      }
      if heap.space.isArenaPurgeDue { heap.space.purgeArenas() }
    }
    leave(heap)
  }

  /// The entry of the live block at `address`; ends the process when there is none.
  static func checkedSlot(_ address: UInt, of span: Span, in space: HeapSpace = processSpace) -> UInt {
    let slot = space.entrySlot(address, of: span)
    require(slot != 0, "free of a pointer that heaplab did not give out, or gave out once", UInt64(address))
    require(
      ArenaEntry(word: UInt(lab_malloc_word(CUnsignedLong(slot)))).state == .live, "double free", UInt64(address))
    return slot
  }
}
