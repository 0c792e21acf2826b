package import HeapBlocks
internal import HeapSpaces
internal import Synchronization

// Magazines. Spans of the classes above 1 KiB have few blocks: active list and free list would be exchanged at every
// other request. The active list of such a class is a magazine instead. A free by the owner pushes onto it, whatever
// span the block belongs to, and the next request gets the block that was freed last, still in the processor's cache.
// To its span a block in a magazine is live.
//
//     room + blocks in the magazine = limit        (room < 0 after a refill brought more than the limit)
//
// A magazine begins without room. When it is full, a block goes to its span, as in a class without a magazine. When the
// magazine then runs out while its spans have such blocks, it could have kept them: its limit rises, as long as all
// limits together stay within a share of what the heap holds. If they do not, another magazine gives way now and then. A
// purge empties the magazines and takes their room. The empty heap has no room: nothing is pushed there.

extension ThreadHeap {
  /// What all magazines may hold beside their share: a block of the largest class.
  private static var magazinesConstantByteCount: UInt { 32 << 10 }
  /// How many blocks of a class a magazine holds at most: its limit is a byte.
  private static var magazineBlockMaximum: Int16 { 255 }

  /// The classes with a magazine.
  private static var magazineClasses: Range<Int> { SizeClass.firstWithMagazine..<SizeClass.count }

  @inlinable @inline(__always)
  func room(_ sizeClass: SizeClass) -> Int16 {
    // SAFETY: the number of a class is below the count.
    unsafe withAtomic(&fields.magazineRooms[unchecked: sizeClass.index]) { $0.load(ordering: .relaxed) }
  }

  @inlinable @inline(__always)
  func setRoom(_ sizeClass: SizeClass, _ room: Int16) {
    // SAFETY: the number of a class is below the count.
    unsafe withAtomic(&fields.magazineRooms[unchecked: sizeClass.index]) { $0.store(room, ordering: .relaxed) }
  }

  /// How many blocks a magazine holds at most.
  private func limit(_ sizeClass: SizeClass) -> Int16 {
    Int16(withAtomic(&fields.magazineLimits[sizeClass.index]) { $0.load(ordering: .relaxed) })
  }

  private func setLimit(_ sizeClass: SizeClass, _ limit: Int16) {
    withAtomic(&fields.magazineLimits[sizeClass.index]) {
      $0.store(UInt8(truncatingIfNeeded: limit), ordering: .relaxed)
    }
  }

  /// Pops a block from a magazine, 0 when it is empty.
  @inlinable @inline(__always)
  package func popMagazine(_ sizeClass: SizeClass) -> UInt {
    let block = popActive(sizeClass)
    if block != 0 { setRoom(sizeClass, room(sizeClass) &+ 1) }
    return block
  }

  /// Pushes a block of one of this heap's spans, or of an arena, into its class's magazine; false when there is no room.
  @inlinable @inline(__always)
  package func pushMagazine(_ block: FreeBlock, _ sizeClass: SizeClass) -> Bool {
    let room = room(sizeClass)
    guard room > 0 else { return false }
    setRoom(sizeClass, room &- 1)
    block.next = active(sizeClass)
    block.markWord = FreeBlock.mark
    setActive(sizeClass, block.address)
    return true
  }

  /// Notes that a refill put blocks into a magazine.
  func noteLoaded(_ count: Int, _ sizeClass: SizeClass) {
    setRoom(sizeClass, room(sizeClass) &- Int16(truncatingIfNeeded: count))
  }

  /// Resets the limits of the magazines, which must be empty.
  func openMagazines() {
    for index in ThreadHeap.magazineClasses {
      let sizeClass = SizeClass(index: index)
      setLimit(sizeClass, 0)
      setRoom(sizeClass, 0)
    }
    fields.magazinesByteCount = 0
  }

  /// How many blocks are in a magazine. Another thread may see only one of two changes that belong together.
  package func magazineCount(_ sizeClass: SizeClass) -> UInt {
    UInt(max(0, Int(limit(sizeClass)) - Int(room(sizeClass))))
  }

  /// Frees a block of an arena for which its magazine had no room: the magazine grows, or the block goes back.
  package func pushFullMagazine(_ block: FreeBlock, _ sizeClass: SizeClass) {
    raiseLimit(sizeClass)
    if !pushMagazine(block, sizeClass) { putBack(block, sizeClass) }
  }

  /// Raises the limit of a magazine that could have served a request or taken a free. When all magazines together may
  /// not hold more, every eighth time another one gives way.
  func raiseLimit(_ sizeClass: SizeClass) {
    if growMagazine(sizeClass) { return }
    fields.refusedGrowthCount &+= 1
    guard fields.refusedGrowthCount % 8 == 0 else { return }
    shrinkAnotherMagazine(sizeClass)
    _ = growMagazine(sizeClass)
  }

  /// Returns a block to its span, which is this heap's, or to its arena.
  package func putBack(_ block: FreeBlock, _ sizeClass: SizeClass) {
    let granule = space.granuleUnchecked(around: block.address)
    if granule.use == .arena {
      noteReturned(sizeClass)
      space.deallocateInArena(block.address)
    } else if granule.span.push(block) {
      handleFreed(granule.span)
    }
  }

  /// Raises the limit of a magazine by a block at least, in steps of up to 4 KiB, and by a quarter once that is more. False
  /// when the magazines may not hold more.
  private func growMagazine(_ sizeClass: SizeClass) -> Bool {
    let limit = limit(sizeClass)
    let least = max(1, min(limit / 2, Int16(truncatingIfNeeded: (4 << 10) / sizeClass.blockByteCount)))
    let more = min(max(least, limit / 4), ThreadHeap.magazineBlockMaximum - limit)
    let byteCount = UInt(more) * sizeClass.blockByteCount
    let most = ThreadHeap.magazinesConstantByteCount + share
    guard more > 0, fields.magazinesByteCount + byteCount <= most, room(sizeClass) >= 0 else { return false }
    fields.magazinesByteCount += byteCount
    setLimit(sizeClass, limit + more)
    setRoom(sizeClass, room(sizeClass) + more)
    return true
  }

  /// Halves the next magazine in turn that has a limit. Its blocks beyond the new limit go to the spans.
  private func shrinkAnotherMagazine(_ other: SizeClass) {
    for _ in ThreadHeap.magazineClasses {
      fields.shrunkMagazine = fields.shrunkMagazine &+ 1
      if !ThreadHeap.magazineClasses.contains(Int(fields.shrunkMagazine)) {
        fields.shrunkMagazine = UInt8(ThreadHeap.magazineClasses.lowerBound)
      }
      let sizeClass = SizeClass(index: Int(fields.shrunkMagazine))
      let limit = limit(sizeClass)
      guard limit > 0, sizeClass != other else { continue }
      let kept = limit / 2
      fields.magazinesByteCount -= UInt(limit - kept) * sizeClass.blockByteCount
      let blockCount = Int(magazineCount(sizeClass))
      setRoom(sizeClass, room(sizeClass) - (limit - kept))
      setLimit(sizeClass, kept)
      if blockCount > Int(kept) { trimMagazine(sizeClass, to: Int(kept)) }
      return
    }
  }

  /// Returns the blocks of all magazines to their spans.
  func flushMagazines() {
    for index in ThreadHeap.magazineClasses { trimMagazine(SizeClass(index: index), to: 0) }
    openMagazines()
  }

  /// Returns all blocks except the `kept` ones pushed last to their spans.
  func trimMagazine(_ sizeClass: SizeClass, to kept: Int) {
    var older = FreeBlock(active(sizeClass))
    var keptCount = 0
    var last = FreeBlock(0)
    while older.address != 0, keptCount < kept {
      last = older
      older = FreeBlock(older.next)
      keptCount += 1
    }
    if last.address == 0 { setActive(sizeClass, 0) } else { last.next = 0 }
    setRoom(sizeClass, limit(sizeClass) &- Int16(truncatingIfNeeded: keptCount))
    while older.address != 0 {
      let next = FreeBlock(older.next)
      putBack(older, sizeClass)
      older = next
    }
  }
}
