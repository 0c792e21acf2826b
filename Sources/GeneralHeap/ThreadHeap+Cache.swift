internal import Addresses
internal import CLabMalloc
internal import Assertions
internal import FirstFitHeap

// The short cache in front of the arenas: blocks that this thread freed last, a list for each `LargeClass`. To pop and to
// push take no lock and are on the way of a request before any slow path; the arena does not know, and the granule's
// descriptor says "live" as before. As in spans, the mark in a block's second word tells that nobody holds it.
//
//     room + bytes of all blocks in the cache, their headers included = limit
//
// The empty heap's room is 0, so that a thread without a heap, and one inside a slow path, keeps nothing. When the room
// is used up, half goes back.

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
    let index = LargeClass(fitting: byteCount).index
    let first = unsafe FreeBlock(cacheSlot(index).pointee)
    if first.address != 0 { return take(first, index) }
    // Blocks of the class below are up to a sixteenth larger than it says: the one that was freed last may do.
    let second = unsafe FreeBlock(cacheSlot(index &- 1).pointee)
    guard second.address != 0, FirstFitHeap.blockByteCount(of: VirtAddr(second.address)) > byteCount &+ 7 else {
      return 0
    }
    return take(second, index &- 1)
  }

  /// Takes the first block of a list.
  @inline(__always)
  private func take(_ block: FreeBlock, _ index: Int) -> UInt {
    unsafe cacheSlot(index).pointee = block.next
    block.markWord = 0
    fields.cacheRoom &+= Int(bitPattern: FirstFitHeap.blockByteCount(of: VirtAddr(block.address)))
    return block.address
  }

  /// Puts the block of an entry into the cache; false when there is no room. A block without a class is larger than any
  /// cache.
  @inline(__always)
  func pushCached(_ block: FreeBlock, _ entry: ArenaEntry) -> Bool {
    let room = fields.cacheRoom &- Int(bitPattern: entry.blockByteCount)
    guard room >= 0 else { return false }
    fields.cacheRoom = room
    let slot = unsafe cacheSlot(entry.classIndex)
    block.next = unsafe slot.pointee
    block.markWord = FreeBlock.mark
    unsafe slot.pointee = block.address
    return true
  }

  /// Makes room for a block of `byteCount` bytes, and more: half the cache goes back.
  func makeCacheRoom(for byteCount: UInt) {
    guard byteCount <= fields.cacheLimit else { return }
    trimCache(to: min(fields.cacheLimit / 2, fields.cacheLimit - byteCount))
  }

  /// How many bytes of blocks are in the cache.
  var cacheByteCount: UInt { fields.cacheLimit &- UInt(bitPattern: fields.cacheRoom) }

  /// Sets how much the cache of one of `heapCount` heaps may hold; it must be empty.
  func limitCache(heapCount: UInt) {
    fields.cacheLimit = max(256 << 10, min(ThreadHeap.cacheByteMaximum, ThreadHeap.cachesByteMaximum / heapCount))
    fields.cacheRoom = Int(bitPattern: fields.cacheLimit)
  }

  /// Gives every cached block back to its arena.
  func flushCache() { trimCache(to: 0) }

  /// Gives cached blocks back to their arenas until at most `kept` bytes are left, the largest first: of the small ones
  /// there is room for more, so that the next request is more likely to find its class.
  private func trimCache(to kept: UInt) {
    var index = LargeClass.count
    while index > 0, cacheByteCount > kept {
      index -= 1
      let slot = unsafe cacheSlot(index)
      while unsafe slot.pointee != 0, cacheByteCount > kept {
        let block = unsafe FreeBlock(slot.pointee)
        unsafe slot.pointee = block.next
        let entry = space.entrySlot(block.address, of: space.spanUnchecked(containing: block.address))
        fields.cacheRoom &+= Int(bitPattern: ArenaEntry(at: entry).blockByteCount)
        space.deallocateInArena(block.address, slot: entry)
      }
    }
  }
}
