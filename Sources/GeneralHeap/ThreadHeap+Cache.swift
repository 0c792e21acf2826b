internal import CLabMalloc
internal import Contracts

// The short cache in front of the arenas: blocks that this thread freed last, a list for each `LargeClass`. To pop and to
// push take no lock and are on the way of a request before any slow path; the arena does not know, and the granule's
// descriptor says "live" as before. As in spans, the mark in a block's second word tells that nobody holds it.
//
//     room + the classes' bytes of all blocks in the cache = limit
//
// The empty heap's room is 0, so that a thread without a heap, and one inside a slow path, keeps nothing. When the room
// is used up, all goes back; so nothing in the cache grows old.

extension ThreadHeap {
  /// How many bytes a cache holds at most, and how many the caches of all threads together, more or less.
  private static var cacheByteMaximum: UInt { 4 << 20 }
  private static var cachesByteMaximum: UInt { 64 << 20 }

  /// The first block of a class's list.
  @inline(__always)
  private func cacheSlot(_ index: Int) -> UnsafeMutablePointer<UInt> {
    // SAFETY: `cached` lies at this offset of the record, and a class's number is below its count.
    unsafe UnsafeMutablePointer<UInt>(bitPattern: address &+ ThreadHeap.cachedOffset).unsafelyUnwrapped + index
  }

  /// A cached block for `byteCount` bytes, above 32 KiB and at most `LargeClass.maximumByteCount`; 0 when there is none.
  @inline(__always)
  func popCached(_ byteCount: UInt) -> UInt {
    let largeClass = LargeClass(fitting: byteCount)
    let slot = unsafe cacheSlot(largeClass.index)
    let block = unsafe FreeBlock(slot.pointee)
    if block.address == 0 { return 0 }
    unsafe slot.pointee = block.next
    block.markWord = 0
    fields.cacheRoom &+= Int(bitPattern: largeClass.byteCount)
    return block.address
  }

  /// Puts a block of `byteCount` usable bytes into the cache; false when it has no class, or there is no room.
  @inline(__always)
  func pushCached(_ block: FreeBlock, byteCount: UInt) -> Bool {
    guard byteCount &- LargeClass.minimumByteCount <= LargeClass.maximumByteCount else { return false }
    let largeClass = LargeClass(within: byteCount)
    let room = fields.cacheRoom &- Int(bitPattern: largeClass.byteCount)
    guard room >= 0, largeClass.index < LargeClass.count else { return false }
    fields.cacheRoom = room
    let slot = unsafe cacheSlot(largeClass.index)
    block.next = unsafe slot.pointee
    block.markWord = FreeBlock.mark
    unsafe slot.pointee = block.address
    return true
  }

  /// How many bytes of blocks are in the cache.
  var cacheByteCount: UInt { fields.cacheLimit &- UInt(bitPattern: fields.cacheRoom) }

  /// Sets how much the cache of one of `heapCount` heaps may hold; it must be empty.
  func limitCache(heapCount: UInt) {
    fields.cacheLimit = max(256 << 10, min(ThreadHeap.cacheByteMaximum, ThreadHeap.cachesByteMaximum / heapCount))
    fields.cacheRoom = Int(bitPattern: fields.cacheLimit)
  }

  /// Gives every cached block back to its arena.
  func flushCache() {
    guard cacheByteCount != 0 else { return }
    for index in 0..<LargeClass.count {
      var block = unsafe FreeBlock(cacheSlot(index).pointee)
      unsafe cacheSlot(index).pointee = 0
      while block.address != 0 {
        let next = FreeBlock(block.next)
        let slot = space.entrySlot(block.address, of: space.spanUnchecked(containing: block.address))
        space.deallocateInArena(block.address, slot: slot)
        block = next
      }
    }
    fields.cacheRoom = Int(bitPattern: fields.cacheLimit)
  }
}
