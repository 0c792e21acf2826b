internal import Addresses
internal import CLabMalloc
internal import FirstFitHeap
internal import HeapBlocks
internal import HeapSpaces
internal import ThreadHeaps

// Frees that the hot path refused. First the lists of the thread itself, right beside the hot path. Then the slow path,
// which checks everything and reports misuse.

extension ProcessHeap {
  /// Pushes a block into a magazine or the thread cache. False when it belongs in neither, or when another path must
  /// look at it.
  @inline(__always)
  static func pushToThreadLists(_ block: FreeBlock, _ granule: Granule, _ heap: ThreadHeap) -> Bool {
    let span = granule.span
    // The empty heap's number is 0: it seems to own every granule without an owner. But its magazines have no room.
    if heap.ownsUnsampled(span) {
      let sizeClass = span.sizeClass
      guard sizeClass.hasMagazine, span.isInUse(block) else { return false }
      if heap.pushMagazine(block, sizeClass) { return true }
      // The event is left to the slow path.
      return span.ownerWord != 0 && span.pending > 1 && !span.push(block)
    }
    guard granule.use == .arena else { return false }
    let part = granule.arenaPart
    // Large blocks first: they are nearly all.
    if let entry = part.entryInUse(of: block) { return heap.pushCached(block, entry) }
    guard let sizeClass = part.classInUse(of: block) else { return false }
    return heap.pushMagazine(block, sizeClass)
  }

  /// Pushes a block into the batch of another heap's span, or onto one of this thread's spans that a purge took pages
  /// from. False when the slow path must look at it.
  @inline(__always)
  static func pushToBatch(_ block: FreeBlock, _ granule: Granule, _ heap: ThreadHeap) -> Bool {
    let span = granule.span
    guard span.ownerWord != 0 else { return false }
    if heap.ownsUnsampled(span) {
      guard span.isInUseAfterPurge(block) else { return false }
      let sizeClass = span.sizeClass
      if sizeClass.hasMagazine, heap.pushMagazine(block, sizeClass) { return true }
      // The event is left to the slow path.
      return span.pending > 1 && !span.push(block)
    }
    // The empty heap has no batches.
    guard span.isInUse(block) else { return false }
    let number = (block.address &+ lab_malloc_space_negative_base()) / Granule.byteCount
    return heap.pushOutgoing(block, granule: UInt32(truncatingIfNeeded: number))
  }

  /// Frees a block by the slow path. Ends the process when no block in use starts at `address`.
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
      return heap.sendHome(block, to: span)
    }
    if span.hasSamples, span.sizeClass.hasMagazine { heap.space.endSample(address, of: span) }
    if span.sizeClass.hasMagazine, heap.pushMagazine(block, span.sizeClass) {
      // A thread that got its heap just now had not tried.
    } else if span.push(block) {
      heap.handleEvent(span)
    }
  }

  /// Frees a block outside of the space: of the emergency region, of a textbook policy, or a mapping.
  private static func deallocateOutside(_ address: UInt) {
    if isEmergency(address) { return deallocateEmergency(address) }
    if let textbook = TextbookHeap.current {
      repairAfterFork()
      return textbook.deallocate(address)
    }
    guard let heap = enter() else {
      // The first call of the process, under a textbook policy.
      TextbookHeap.current?.deallocate(address)
      return
    }
    Sampling.end(mapping: address, in: heap.space)
    MappedBlocks.deallocate(address, in: heap.space)
    leave(heap)
  }

  /// Frees a block of an arena that the thread's cache did not take.
  private static func deallocateInArena(_ address: UInt, of part: ArenaPart) {
    checkBlock(at: address, of: part)
    // An interrupted slow path may have left the arena half changed: the block is lost.
    guard let heap = enter() else { return }
    defer { leave(heap) }
    let block = FreeBlock(address)
    if let sizeClass = part.classInUse(of: block) {
      if !heap.pushMagazine(block, sizeClass) { heap.pushFullMagazine(block, sizeClass) }
      return
    }
    Sampling.end(address, of: part, in: heap.space)
    let entry = part.entry(of: address)
    if heap.pushCached(block, entry) { return }
    heap.makeCacheRoom(for: entry.blockByteCount)
    if !heap.pushCached(block, entry) { heap.deallocateInArena(address) }
  }

  /// Handles the event of a span of this thread's heap.
  static func handleEvent(_ address: UInt) {
    guard let span = granule(around: address)?.span else { return }
    guard let heap = enter() else {
      // In an interrupted slow path: the event is postponed to the next free.
      return span.notify(after: Int(span.target) + 1, freeCount: span.freeCount)
    }
    heap.handleEvent(span)
    leave(heap)
  }
}

// Blocks in use, with a verdict. A block that looks free is searched for in all heaps.
extension ProcessHeap {
  /// The block at `address` of a span. Ends the process unless it is in use.
  static func checkedBlock(_ address: UInt, of span: BlockSpan) -> FreeBlock {
    span.checkedBlock(address) { isListed($0, of: span) }
  }

  /// Ends the process unless a block in use starts at `address` of an arena.
  static func checkBlock(at address: UInt, of part: ArenaPart) { part.checkBlock(at: address, isCached: isCached) }

  /// How many bytes the holder of a block of an arena may use. Ends the process unless it is in use.
  static func checkedByteCount(of address: UInt, in part: ArenaPart) -> UInt {
    checkBlock(at: address, of: part)
    return part.blockByteCount(at: address) - BlockLayout.headerByteCount
  }

  /// Whether the block of a span is on its owner's lists of free blocks, or in some thread's batch.
  @inline(never)
  private static func isListed(_ block: FreeBlock, of span: BlockSpan) -> Bool {
    if ThreadHeap.owner(of: span, in: processSpace).isListed(block, of: span) { return true }
    var isFound = false
    forEachHeap { if $0.isOutgoing(block, of: span) { isFound = true } }
    return isFound
  }

  /// Whether the block of an arena is in some thread's cache or magazine.
  @inline(never)
  private static func isCached(_ block: FreeBlock) -> Bool {
    var isFound = false
    forEachHeap { if $0.isCached(block) { isFound = true } }
    return isFound
  }
}
