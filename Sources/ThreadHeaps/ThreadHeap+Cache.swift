internal import Addresses
internal import FirstFitHeap
package import HeapBlocks
package import HeapSpaces
internal import Synchronization

// The thread cache in front of the arenas: blocks that this thread freed last, a list for each `LargeClass`. Pops and pushes
// take no lock and come before any slow path. The arena does not know of them, and the granule's descriptor says "live" as
// before. As in spans, the mark in a block's second word tells that nobody holds it.
//
//     room + bytes of all blocks in the cache, their headers included = limit
//
// The empty heap's room is 0: a thread without a heap, and one inside a slow path, keeps nothing. When the room is used up,
// half of the cache goes back.

extension ThreadHeap {
  /// How many bytes a cache holds at most, how many at least, and how many the caches of all threads together, more or less.
  private static var cacheByteMaximum: UInt { 4 << 20 }
  private static var cacheByteMinimum: UInt { 256 << 10 }
  private static var cachesByteMaximum: UInt { 64 << 20 }

  /// Whether each block that fits a cache has a class, and with it a list.
  static var isEveryCachedBlockOfSomeClass: Bool {
    LargeClass(within: cacheByteMaximum - BlockLayout.headerByteCount).index < LargeClass.count
  }

  /// The first block of a class's list, 0 for none.
  @inline(__always)
  func cached(_ index: Int) -> UInt {
    // SAFETY: the number of a class is below the count.
    unsafe withAtomic(&fields.cached[unchecked: index]) { $0.load(ordering: .relaxed) }
  }

  @inline(__always)
  private func setCached(_ index: Int, _ block: UInt) {
    // SAFETY: the number of a class is below the count.
    unsafe withAtomic(&fields.cached[unchecked: index]) { $0.store(block, ordering: .relaxed) }
  }

  private var cacheRoom: Int {
    @inline(__always) get { withAtomic(&fields.cacheRoom) { $0.load(ordering: .relaxed) } }
    @inline(__always) nonmutating set { withAtomic(&fields.cacheRoom) { $0.store(newValue, ordering: .relaxed) } }
  }

  /// How many bytes of blocks the cache may hold.
  var cacheLimit: UInt { withAtomic(&fields.cacheLimit) { $0.load(ordering: .relaxed) } }

  /// A cached block for `byteCount` bytes, above 32 KiB and at most `LargeClass.maximumByteCount`; 0 when there is none.
  @inline(__always)
  package func popCached(_ byteCount: UInt) -> UInt {
    let index = LargeClass(fitting: byteCount).index
    let first = FreeBlock(cached(index))
    if first.address != 0 { return take(first, index) }
    // Blocks of the class below are up to a sixteenth larger than it says: the one that was freed last may do.
    let second = FreeBlock(cached(index &- 1))
    guard second.address != 0, FirstFitHeap.blockByteCount(of: VirtAddr(second.address)) > byteCount &+ 7 else {
      return 0
    }
    return take(second, index &- 1)
  }

  /// Takes the first block of a list.
  @inline(__always)
  private func take(_ block: FreeBlock, _ index: Int) -> UInt {
    setCached(index, block.next)
    block.markWord = 0
    let byteCount = Int(bitPattern: FirstFitHeap.blockByteCount(of: VirtAddr(block.address)))
    cacheRoom = cacheRoom &+ byteCount
    return block.address
  }

  /// Puts the block of an entry into the cache; false when there is no room.
  @inline(__always)
  package func pushCached(_ block: FreeBlock, _ entry: ArenaEntry) -> Bool {
    let room = cacheRoom &- Int(bitPattern: entry.blockByteCount)
    guard room >= 0 else { return false }
    cacheRoom = room
    block.next = cached(entry.classIndex)
    block.markWord = FreeBlock.mark
    setCached(entry.classIndex, block.address)
    return true
  }

  /// Makes room for a block of `byteCount` bytes, and more: half of the cache goes back.
  package func makeCacheRoom(for byteCount: UInt) {
    guard byteCount <= cacheLimit else { return }
    trimCache(to: min(cacheLimit / 2, cacheLimit - byteCount))
  }

  /// How many bytes of blocks are in the cache.
  package var cacheByteCount: UInt { cacheLimit &- UInt(bitPattern: cacheRoom) }

  /// Sets how much the cache of one of `heapCount` heaps may hold; it must be empty.
  package func limitCache(heapCount: UInt) {
    let share = ThreadHeap.cachesByteMaximum / heapCount
    let limit = max(ThreadHeap.cacheByteMinimum, min(ThreadHeap.cacheByteMaximum, share))
    withAtomic(&fields.cacheLimit) { $0.store(limit, ordering: .relaxed) }
    cacheRoom = Int(bitPattern: limit)
  }

  /// Gives every cached block back to its arena.
  package func flushCache() { trimCache(to: 0) }

  /// Gives cached blocks back to their arenas until at most `kept` bytes are left, the largest first: the cache holds more
  /// small ones, and the next request more likely finds its class.
  private func trimCache(to kept: UInt) {
    var index = LargeClass.count
    while index > 0, cacheByteCount > kept {
      index -= 1
      while cached(index) != 0, cacheByteCount > kept {
        let block = FreeBlock(cached(index))
        setCached(index, block.next)
        let entry = space.granuleUnchecked(around: block.address).arenaPart.entry(of: block.address)
        cacheRoom = cacheRoom &+ Int(bitPattern: entry.blockByteCount)
        space.deallocateInArena(block.address)
      }
    }
  }
}
