internal import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// Allocation when no list of the thread has a block: small blocks from the thread's heap, blocks above 32 KiB from an
// arena, and blocks above 32 MiB as mappings.

extension ProcessHeap {
  /// The largest request that arenas serve; a larger one becomes a mapping of its own.
  static var arenaMaximumByteCount: UInt { 32 << 20 }

  /// Allocates by the slow path; 0 when there is no memory.
  static func allocateMissed(_ byteCount: UInt) -> UInt {
    guard let heap = enter() else { return allocateWithoutHeap(byteCount, alignment: 16) }
    defer { leave(heap) }
    if byteCount <= SizeClass.maximumByteCount {
      let sizeClass = SizeClass(fitting: byteCount)
      var block = heap.refill(sizeClass)
      if block == 0, reclaim(heap) { block = heap.refill(sizeClass) }
      return Sampling.note(block, sizeClass, from: heap)
    }
    return allocateLarge(byteCount, alignment: 16, from: heap)
  }

  /// Frees the memory kept for later, when a request found none. Returns whether there was any.
  static func reclaim(_ heap: ThreadHeap) -> Bool {
    let hasOwn = heap.fields.idleCount != 0 || heap.cacheByteCount != 0
    if hasOwn { heap.purge(.demand) }
    let hadKept = MappedBlocks.releaseKept(in: heap.space) != 0
    return heap.space.reclaimArenas() || hasOwn || hadKept
  }

  /// A block of more than 32 KiB or of a larger alignment; 0 when there is no memory. Its bytes are 0 if `zeroed`.
  static func allocateLarge(_ byteCount: UInt, alignment: UInt, zeroed: Bool = false, from heap: ThreadHeap) -> UInt {
    var block = allocateLargeOnce(byteCount, alignment: alignment, zeroed: zeroed, from: heap)
    if block == 0, reclaim(heap) {
      block = allocateLargeOnce(byteCount, alignment: alignment, zeroed: zeroed, from: heap)
    }
    return Sampling.noteLarge(block, from: heap)
  }

  private static func allocateLargeOnce(
    _ byteCount: UInt, alignment: UInt, zeroed: Bool, from heap: ThreadHeap
  ) -> UInt {
    if byteCount <= arenaMaximumByteCount, alignment <= arenaMaximumByteCount {
      let block = heap.allocateInArena(byteCount: byteCount, alignment: alignment, zeroed: zeroed)
      if block != 0 { return block }
    }
    let block = MappedBlocks.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, in: heap.space)
    // Under a limit of the address space, most of it is in the space.
    let isForSpace =
      byteCount > arenaMaximumByteCount && byteCount / Granule.byteCount < heap.space.fields.granuleCount
    guard block == 0, isForSpace, alignment <= arenaMaximumByteCount else { return block }
    return heap.allocateInArena(byteCount: byteCount, alignment: alignment, zeroed: zeroed)
  }
}
