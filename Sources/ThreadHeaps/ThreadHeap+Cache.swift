internal import Addresses
internal import FirstFitHeap
package import HeapBlocks
package import HeapSpaces
internal import Synchronization

// The thread cache in front of the arenas: the large blocks that this thread freed last, in one list for each
// `LargeClass`. Pops and pushes take no lock and come before any slow path. The arena knows nothing of them: to the
// granule's descriptor a cached block is still in use. As in spans, the mark in the second word says that the block is
// free.
//
//     bytes of all blocks in the cache, their headers included <= limit
//
// The empty heap's limit is 0: a thread without a heap, and one inside a slow path, caches nothing. When a block exceeds
// the limit, half of the cache is freed, a block of each class in turn: a list of every size serves more requests than
// many blocks of one.

extension ThreadHeap {
  /// What a cache may hold beside its share and its boost.
  private static var cacheConstantByteCount: UInt { 32 << 10 }
  /// The most that a cache holds, and the most that a boost adds.
  private static var cacheByteMaximum: UInt { 32 << 20 }
  private static var cacheBoostMaximum: UInt { 4 << 20 }
  /// The most of their share's larger part that the caches of all heaps together hold, and as much again in magazines.
  static var cachesAllowance: UInt { 4 << 20 }

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

  /// How many bytes of blocks are in the cache.
  package private(set) var cacheByteCount: UInt {
    @inline(__always) get { withAtomic(&fields.cacheByteCount) { $0.load(ordering: .relaxed) } }
    @inline(__always) nonmutating set { withAtomic(&fields.cacheByteCount) { $0.store(newValue, ordering: .relaxed) } }
  }

  /// How many bytes of blocks the cache may hold.
  var cacheLimit: UInt { fields.cacheLimit }

  /// A cached block for `byteCount` bytes, above 32 KiB and at most `LargeClass.maximumByteCount`; 0 when there is none.
  @inline(__always)
  package func popCached(_ byteCount: UInt) -> UInt {
    let index = LargeClass(fitting: byteCount).index
    let first = FreeBlock(cached(index))
    if first.address != 0 { return take(first, index) }
    // Blocks of the next lower class may be larger than its size by up to a sixteenth: its first one may fit.
    let second = FreeBlock(cached(index &- 1))
    if second.address != 0, FirstFitHeap.blockByteCount(of: VirtAddr(second.address)) > byteCount &+ 7 {
      return take(second, index &- 1)
    }
    return fields.largeByteCount <= ThreadHeap.wasteByteMaximum ? popCached(above: index) : 0
  }

  /// A cached block of the next classes above `index`, 0 when there is none. Up to a quarter of it is wasted: still
  /// cheaper than the arena, as long as all large blocks are not too many bytes.
  @inline(__always)
  private func popCached(above index: Int) -> UInt {
    let last = min(index &+ ThreadHeap.largerClassCount, LargeClass.count &- 1)
    var larger = index
    while larger < last {
      larger &+= 1
      let block = FreeBlock(cached(larger))
      if block.address != 0 { return take(block, larger) }
    }
    return 0
  }

  /// How many classes above its own serve a request, and up to how many bytes of large blocks: then a quarter of the
  /// blocks in use is at most 32 MiB.
  private static var largerClassCount: Int { 4 }
  private static var wasteByteMaximum: UInt { 128 << 20 }

  /// Pops the first block of a list.
  @inline(__always)
  private func take(_ block: FreeBlock, _ index: Int) -> UInt {
    setCached(index, block.next)
    block.markWord = 0
    cacheByteCount = cacheByteCount &- FirstFitHeap.blockByteCount(of: VirtAddr(block.address))
    return block.address
  }

  /// Pushes the block of an entry into the cache; false when there is no room.
  @inline(__always)
  package func pushCached(_ block: FreeBlock, _ entry: ArenaEntry) -> Bool {
    let byteCount = cacheByteCount &+ entry.blockByteCount
    guard byteCount <= cacheLimit, entry.classIndex < LargeClass.count else { return false }
    cacheByteCount = byteCount
    block.next = cached(entry.classIndex)
    block.markWord = FreeBlock.mark
    setCached(entry.classIndex, block.address)
    return true
  }

  /// Makes room for a block of `byteCount` bytes by freeing half of the cache, or more.
  package func makeCacheRoom(for byteCount: UInt) {
    defer { limitCache() }
    guard byteCount <= cacheLimit else { return }
    trimCache(to: min(cacheLimit / 2, cacheLimit - byteCount))
  }

  /// A block of more than 32 KiB, or of a larger alignment, from an arena; 0 when there is no memory. Its bytes are 0 if
  /// `zeroed`.
  package func allocateInArena(byteCount: UInt, alignment: UInt, zeroed: Bool) -> UInt {
    let block = space.allocateInArena(
      byteCount: byteCount, alignment: alignment, zeroed: zeroed, home: &fields.homeArena)
    if block != 0 {
      let blockByteCount = FirstFitHeap.blockByteCount(of: VirtAddr(block))
      fields.largeByteCount &+= blockByteCount
      boostCache(LargeClass(within: blockByteCount - BlockLayout.headerByteCount), blockByteCount)
      limitCache()
    }
    return block
  }

  /// Lets the cache hold more if the last block that it could not hold would have served this request: for a thread that
  /// frees and allocates in turns, however large the block is. Other requests take an eighth of that away.
  private func boostCache(_ largeClass: LargeClass, _ byteCount: UInt) {
    let isRegretted = Int(fields.returnedClass) == largeClass.index
    fields.returnedClass = UInt8(LargeClass.none)
    fields.cacheBoost =
      isRegretted
      ? min(fields.cacheBoost + 2 * byteCount, ThreadHeap.cacheBoostMaximum) : fields.cacheBoost / 8 * 7
  }

  /// Frees a block of more than 32 KiB to its arena, whichever thread took it.
  package func deallocateInArena(_ address: UInt) {
    let byteCount = FirstFitHeap.blockByteCount(of: VirtAddr(address))
    fields.largeByteCount -= min(byteCount, fields.largeByteCount)
    fields.returnedClass = UInt8(clamping: LargeClass(within: byteCount - BlockLayout.headerByteCount).index)
    space.deallocateInArena(address)
  }

  /// The part of the bytes that a heap holds which it may keep for later: a sixty-fourth, and half of what exceeds
  /// 512 KiB, up to the heap's part of the allowance.
  var share: UInt {
    let byteCount = fields.heldByteCount + fields.largeByteCount
    let excess = byteCount - min(byteCount, 512 << 10)
    return byteCount / 64 + min(excess / 2, ThreadHeap.cachesAllowance / space.heapCount)
  }

  /// Sets the limit of the cache. It may be below what the cache holds: then the next free makes room.
  func limitCache() {
    let limit = ThreadHeap.cacheConstantByteCount + share + fields.cacheBoost
    fields.cacheLimit = min(limit, ThreadHeap.cacheByteMaximum)
  }

  /// Empties the cache for a new thread, which took nothing yet: its share of what the heap holds begins with its calls.
  package func resetCache() {
    flushCache()
    fields.homeArena = space.firstArena(ofNode: fields.node)
    fields.largeByteCount = 0
    fields.cacheBoost = 0
    fields.cacheLimit = ThreadHeap.cacheConstantByteCount
  }

  /// Frees every cached block.
  package func flushCache() { trimCache(to: 0) }

  /// Frees cached blocks, one of each class in turn, until at most `kept` bytes are left, or none. A signal handler may
  /// run between the two steps of a pop: the count then tells of a block that is in no list.
  private func trimCache(to kept: UInt) {
    var index = Int(fields.trimmedClass)
    var emptyCount = 0
    while cacheByteCount > kept, emptyCount < LargeClass.count {
      index = index == 0 ? LargeClass.count - 1 : index - 1
      let block = FreeBlock(cached(index))
      emptyCount = block.address == 0 ? emptyCount + 1 : 0
      if block.address == 0 { continue }
      setCached(index, block.next)
      let entry = space.granuleUnchecked(around: block.address).arenaPart.entry(of: block.address)
      cacheByteCount = cacheByteCount &- entry.blockByteCount
      deallocateInArena(block.address)
    }
    fields.trimmedClass = UInt8(index)
  }
}
