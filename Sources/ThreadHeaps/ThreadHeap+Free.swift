internal import Assertions
package import HeapBlocks
package import HeapSpaces
internal import Synchronization

// The work of a free off the hot path: a span's event, and the search for a block on this heap's lists.

extension ThreadHeap {
  /// How many empty spans a heap keeps in reserve: one, and a sixteenth of what it holds.
  private var idleSpanMaximum: UInt { min(16, 1 + fields.heldByteCount / 16 / Granule.byteCount) }

  /// Handles the event that the span's owner waited for: `target` blocks of the span are free.
  ///
  /// A full span becomes available again with its first free blocks; an empty span is retired. In between, the decay
  /// learns of the free blocks when half of the blocks are free, and again after three quarters of the rest.
  @inline(never)
  package func handleEvent(_ span: BlockSpan) {
    if handleFreed(span) { purge(.free) }
  }

  /// The same without a purge, which could take the blocks of the very span that a refill is about to use. Returns whether
  /// blocks of an available span became free.
  @discardableResult
  func handleFreed(_ span: BlockSpan) -> Bool {
    let freeCount = span.freeCount
    let carved = Int(span.carvedCount)
    // A program may wipe a free block's mark and free it once more. The hot path does not notice that; the count does.
    require(
      freeCount <= carved, "free of a pointer that heaplab did not give out, in the 64 KiB at",
      UInt64(space.start(of: span.granule)))
    if span.use == .fullSpan { link(span) }
    if span.use == .currentSpan, span.sizeClass.hasMagazine, freeCount >= carved { retireEmptyCurrent(span) }
    guard span.use == .availableSpan else { return false }
    noteFreed(span)
    if freeCount >= carved {
      unlink(span)
      retire(span)
    } else if freeCount * 2 < carved {
      span.notify(after: (carved + 1) / 2, freeCount: freeCount)
    } else {
      span.notify(after: freeCount + max(1, (carved - freeCount) * 3 / 4), freeCount: freeCount)
    }
    return true
  }

  /// Retires an empty span that is in no list: into this heap's reserve, or to the space when the reserve is full.
  func retire(_ span: BlockSpan) {
    if span.hasSamples { space.endSamples(of: span) }
    span.owner = 0
    span.hotOwner = 0
    span.use = .reserved
    fields.heldByteCount -= span.presentByteCount
    guard UInt(fields.idleCount) < idleSpanMaximum else {
      release(span)
      // A heap that shrank keeps fewer.
      if UInt(fields.idleCount) > idleSpanMaximum, let other = popIdleSpan() { release(other) }
      return
    }
    span.fields.next = fields.idleSpan
    fields.idleSpan = space.number(of: span.granule)
    fields.idleCount += 1
  }

  /// Returns an empty span without an owner to the space, whose memory it is from now on.
  func release(_ span: BlockSpan) {
    noteReused(span)
    space.deallocate(span.granule)
  }
}

// Whether a block that looks free is free. The mark alone does not tell. Memory that was free once carries links and
// marks until it is written to, and a program may copy such bytes to the start of a block, for example when it moves
// the unset elements of an array. A block that looks free is therefore searched for on the lists where it would be. The
// search is a walk along a list, but only a misuse or a coincidence leads to it.
//
// Meanwhile other threads may change their lists, and holders may write to blocks that were popped. A word that is not
// a free block of the class ends the walk: a double free may then pass, but no program is accused wrongly.
extension ThreadHeap {
  /// Whether a block of one of this heap's spans is on a list of free blocks: the remote list, the owner's free list,
  /// or the list to allocate from next.
  package func isListed(_ block: FreeBlock, of span: BlockSpan) -> Bool {
    // Acquire pairs with the release in `giveBack`: the links of the list are visible.
    let remote = RemoteList(word: span.fields.remote.load(ordering: .acquiring))
    let sizeClass = span.glimpsedSizeClass
    let first = remote.first(from: space.start(of: span.granule))
    return isOn(first, block, sizeClass) || isOn(span.free, block, sizeClass)
      || isOn(active(sizeClass), block, sizeClass)
  }

  /// Whether a block of another heap's span is in this heap's batch for that span.
  package func isOutgoing(_ block: FreeBlock, of span: BlockSpan) -> Bool {
    let granule = space.number(of: span.granule)
    let index = ThreadHeap.batchIndex(granule)
    return fields.outgoing[index].granule == granule
      && isOn(fields.outgoing[index].first, block, span.glimpsedSizeClass)
  }

  /// Whether a block of an arena is in this heap's cache or in one of its magazines.
  package func isCached(_ block: FreeBlock) -> Bool {
    let part = space.granuleUnchecked(around: block.address).arenaPart
    if part.isClassBlock(block.address) {
      guard let sizeClass = ArenaPart.sizeClass(ofClassBlock: block.address) else { return false }
      return isOn(active(sizeClass), block, sizeClass)
    }
    let entry = part.entry(of: block.address)
    guard entry.classIndex < LargeClass.count else { return false }
    var next = cached(entry.classIndex)
    for _ in 0..<ThreadHeap.cachedBlockMaximum {
      if next == block.address { return true }
      guard let granule = space.granule(around: next), granule.use == .arena,
        granule.arenaPart.entry(of: next) != .none
      else { return false }
      next = FreeBlock(next).glimpse.next
    }
    return false
  }

  /// More blocks than any cache has.
  private static var cachedBlockMaximum: Int { 1 << 10 }

  /// Whether a list of free blocks of a class contains `block`.
  private func isOn(_ first: UInt, _ block: FreeBlock, _ sizeClass: SizeClass) -> Bool {
    var next = FreeBlock(first)
    // No list has more blocks than a span of the smallest class.
    for _ in 0...Granule.byteCount / 16 {
      if next == block { return true }
      guard let granule = space.granule(around: next.address), mayBeBlock(next.address, of: sizeClass, in: granule)
      else { return false }
      let glimpse = next.glimpse
      guard glimpse.looksFree else { return false }
      next = FreeBlock(glimpse.next)
    }
    return false
  }

  /// Whether a block of a class starts at an address, in a span or in an arena.
  private func mayBeBlock(_ address: UInt, of sizeClass: SizeClass, in granule: Granule) -> Bool {
    if granule.use == .arena { return granule.arenaPart.isClassBlock(address) }
    return granule.use.isSpan && granule.span.glimpsedSizeClass == sizeClass
      && granule.span.glimpseIsBlockStart(address)
  }
}
