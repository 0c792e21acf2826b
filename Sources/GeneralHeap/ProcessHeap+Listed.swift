internal import Synchronization

// Whether a block that looks free is free. The mark alone does not tell: memory that was free once carries links and
// marks until it is written to, and a program may well copy such bytes to the start of a block of its own, as it moves the
// unset elements of an array. So what looks free is looked for where it would be. That takes a walk along a list, but
// only a misuse, or a coincidence, comes to it.
//
// Other threads may change their lists meanwhile, and their programs write to what was popped. A word that is no free
// block of the class ends the walk: then a double free may go unseen, but nobody is wrongly accused.

extension ProcessHeap {
  /// Whether the block of a span is on one of the lists of free blocks: on its way home in some thread's batch, back
  /// there, or one of those that its owner gave back or hands out next.
  @inline(never)
  static func isListed(_ block: FreeBlock, of span: Span) -> Bool {
    let owner = span.ownerHeap
    let sizeClass = Int(span.fields.sizeClass)
    let space = owner.space
    func isOn(_ first: UInt) -> Bool { list(from: first, contains: block, sizeClass: sizeClass, in: space) }
    let remote = RemoteList(word: span.fields.remote.load(ordering: .acquiring))
    if isOn(remote.first) || isOn(span.fields.free) || isOn(owner.fields.active[sizeClass]) { return true }
    let granule = space.granule(of: span)
    var isOutgoing = false
    forEachHeap { heap in
      guard heap.space == space else { return }
      let batch = heap.fields.outgoing[Int(granule) % OutgoingBatch.count]
      if batch.granule == granule, isOn(batch.first) { isOutgoing = true }
    }
    return isOutgoing
  }

  /// Whether the block of an arena is in some thread's cache.
  @inline(never)
  static func isCached(_ block: FreeBlock, _ entry: ArenaEntry) -> Bool {
    guard entry.classIndex < LargeClass.count else { return false }
    var isFound = false
    forEachHeap { heap in
      var next = heap.fields.cached[entry.classIndex]
      var count = 0
      while !isFound, next != 0, count < cachedBlockMaximum, isArenaBlock(next) {
        if next == block.address { isFound = true }
        next = FreeBlock(next).next
        count += 1
      }
    }
    return isFound
  }

  /// More blocks than any cache has.
  private static var cachedBlockMaximum: Int { 1 << 10 }

  private static func isArenaBlock(_ address: UInt) -> Bool {
    guard let span = span(of: address), span.kind == .arena else { return false }
    return processSpace.entrySlot(address, of: span) != 0
  }

  /// Whether a list of free blocks of a class has `block`.
  private static func list(
    from first: UInt, contains block: FreeBlock, sizeClass: Int, in space: HeapSpace
  ) -> Bool {
    var next = FreeBlock(first)
    // No list has more blocks than a span has of the smallest.
    for _ in 0...Span.byteCount / 16 {
      if next == block { return true }
      guard let span = space.span(containing: next.address), span.kind == .span,
        Int(span.fields.sizeClass) == sizeClass,
        ThreadHeap.isAnyBlockStart(next.address, of: span), next.markWord == FreeBlock.mark
      else { return false }
      next = FreeBlock(next.next)
    }
    return false
  }
}
