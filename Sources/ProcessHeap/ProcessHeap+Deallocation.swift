internal import Addresses
internal import Assertions
internal import CLabMalloc
internal import FirstFitHeap
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// Frees that the hot path refused. First the lists of the thread itself, right beside the hot path; then the slow path,
// which looks at everything and says what is wrong.

extension ProcessHeap {
  /// Puts a block into a magazine or the thread cache; false when it belongs into neither, or something about it is for
  /// another path.
  @inline(__always)
  static func pushToThreadLists(_ block: FreeBlock, _ granule: Granule, _ heap: ThreadHeap) -> Bool {
    let span = granule.span
    // The empty heap's number is 0, as if it owned what nobody owns: but its magazines have no room.
    if heap.owns(span) {
      guard span.sizeClass.hasMagazine, span.isInUse(block) else { return false }
      return heap.pushMagazine(block, of: span)
    }
    guard granule.use == .arena else { return false }
    guard let entry = granule.arenaPart.entryInUse(of: block) else { return false }
    return heap.pushCached(block, entry)
  }

  /// Puts a block into the batch of another thread's span, or back into one of this thread's that a purge took pages of;
  /// false when something about it is for the slow path.
  @inline(__always)
  static func pushToBatch(_ block: FreeBlock, _ granule: Granule, _ heap: ThreadHeap) -> Bool {
    let span = granule.span
    guard span.owner != 0 else { return false }
    if heap.owns(span) {
      guard span.isInUseAfterPurge(block) else { return false }
      if span.sizeClass.hasMagazine { return heap.pushMagazine(block, of: span) }
      // The event is for the slow path.
      return span.pending > 1 && !span.push(block)
    }
    // The empty heap has no batch.
    guard span.isInUse(block) else { return false }
    let number = (block.address &+ lab_malloc_space_negative_base()) / Granule.byteCount
    return heap.pushOutgoing(block, granule: UInt32(truncatingIfNeeded: number))
  }

  /// Takes back a block by the slow path; ends the process when there is none at `address`.
  static func deallocateMissed(_ address: UInt) {
    if address == 0 { return }
    guard let granule = granule(around: address) else { return deallocateOutside(address) }
    if granule.use == .arena { return deallocateInArena(address, of: granule.arenaPart) }
    let span = granule.span
    let block = checkedBlock(address, of: span)
    guard let heap = enter() else {
      block.markWord = FreeBlock.mark
      ThreadHeap.giveBack(span, first: address, last: block, count: 1, in: processSpace)
      return
    }
    defer { leave(heap) }
    if !heap.owns(span) {
      heap.sendHome(block, to: span)
    } else if span.sizeClass.hasMagazine {
      // A thread that has its heap only now has not tried.
      if !heap.pushMagazine(block, of: span) { heap.pushFullMagazine(block, of: span) }
    } else if span.push(block) {
      heap.handleEvent(span)
    }
  }

  /// Takes back what lies outside of the space: a block of the emergency region, of a textbook policy, or a mapping.
  private static func deallocateOutside(_ address: UInt) {
    if isEmergency(address) { return deallocateEmergency(address) }
    if let textbook = TextbookHeap.current {
      repairAfterFork()
      return textbook.deallocate(address)
    }
    guard let heap = enter() else {
      // The first call of all, under a textbook policy.
      TextbookHeap.current?.deallocate(address)
      return
    }
    MappedBlocks.deallocate(address, in: heap.space)
    leave(heap)
  }

  /// Takes back a block of an arena that the thread's cache did not take.
  private static func deallocateInArena(_ address: UInt, of part: ArenaPart) {
    let entry = checkedEntry(of: address, in: part)
    require(
      FirstFitHeap.isHeaderIntact(of: VirtAddr(address), blockByteCount: entry.blockByteCount),
      "heap corrupted, something wrote past the block below the one at", UInt64(address))
    // In an interrupted slow path the arena may be half changed: the block is lost.
    guard let heap = enter() else { return }
    defer { leave(heap) }
    let block = FreeBlock(address)
    if heap.pushCached(block, entry) { return }
    heap.makeCacheRoom(for: entry.blockByteCount)
    if !heap.pushCached(block, entry) { heap.space.deallocateInArena(address) }
  }

  /// Does what a span of this thread's waited for.
  static func handleEvent(_ address: UInt) {
    guard let span = granule(around: address)?.span else { return }
    guard let heap = enter() else {
      // In an interrupted slow path: the event waits for the next free.
      return span.notify(after: Int(span.target) + 1, freeCount: span.freeCount)
    }
    heap.handleEvent(span)
    leave(heap)
  }
}

// Blocks in use, with a verdict. What looks free is looked for in all heaps.
extension ProcessHeap {
  /// The block at `address` of a span; ends the process unless it is in use.
  static func checkedBlock(_ address: UInt, of span: BlockSpan) -> FreeBlock {
    span.checkedBlock(address) { isListed($0, of: span) }
  }

  /// The entry of the block at `address` of an arena; ends the process unless it is in use.
  static func checkedEntry(of address: UInt, in part: ArenaPart) -> ArenaEntry {
    part.checkedEntry(of: address, isCached: isCached)
  }

  /// Whether the block of a span is on its owner's lists of free blocks, or on its way home in some thread's batch.
  @inline(never)
  private static func isListed(_ block: FreeBlock, of span: BlockSpan) -> Bool {
    if ThreadHeap.owner(of: span, in: processSpace).isListed(block, of: span) { return true }
    var isFound = false
    forEachHeap { if $0.isOutgoing(block, of: span) { isFound = true } }
    return isFound
  }

  /// Whether the block of an arena is in some thread's cache.
  @inline(never)
  private static func isCached(_ block: FreeBlock, _ entry: ArenaEntry) -> Bool {
    var isFound = false
    forEachHeap { if $0.isCached(block, entry) { isFound = true } }
    return isFound
  }
}
