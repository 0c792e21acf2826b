internal import CLabMalloc

// The classes above 1 KiB have so few blocks to a span that two lists would be swapped at every other request. Their
// active list is a stack: a free by the owner pushes onto it, whatever span the block is of, and the next request gets
// the block that was freed last, still in the processor's cache. To its span a block on the stack is live.
//
//     room + blocks on the stack = limit        (room < 0 after a refill brought more than the limit)
//
// When the room is used up, the limit grows by half of itself, as long as all stacks together grew by no more than the
// cache of larger blocks may hold half of; then the older half of the stack goes to the spans. A purge empties the stacks
// and takes the growth back. The empty heap's rooms are 0: nothing is pushed there.

extension ThreadHeap {
  /// The first class with a stack: the blocks above 1 KiB.
  private static var firstStack: Int { 33 }

  /// How many bytes of blocks a stack holds at first, but at least four blocks.
  private static var stackByteMinimum: UInt { 64 << 10 }

  /// Whether a class has a stack.
  @inline(__always)
  func hasStack(_ index: Int) -> Bool { index >= ThreadHeap.firstStack }

  /// How many blocks a stack holds at first.
  private static func firstStackLimit(_ index: Int) -> Int16 {
    Int16(truncatingIfNeeded: max(4, stackByteMinimum / SizeClass(index: index).blockByteCount))
  }

  @inline(__always)
  private func roomSlot(_ index: Int) -> UnsafeMutablePointer<Int16> {
    // SAFETY: `stackRooms` lies at this offset of the record, and a class's number is below its count.
    unsafe UnsafeMutablePointer<Int16>(bitPattern: address &+ ThreadHeap.stackRoomsOffset).unsafelyUnwrapped + index
  }

  /// Pops a block off a stack, 0 when that is empty.
  @inline(__always)
  func popStacked(_ sizeClass: SizeClass) -> UInt {
    let block = popActive(sizeClass)
    if block != 0 { unsafe roomSlot(sizeClass.index).pointee &+= 1 }
    return block
  }

  /// Pushes a block of one of this heap's spans onto its class's stack; false when that has no room.
  @inline(__always)
  func pushStacked(_ block: FreeBlock, of span: Span) -> Bool {
    let index = Int(span.fields.sizeClass)
    let room = unsafe roomSlot(index).pointee
    guard room > 0 else { return false }
    unsafe roomSlot(index).pointee = room &- 1
    let slot = unsafe activeSlot(SizeClass(index: index))
    block.next = unsafe slot.pointee
    block.markWord = FreeBlock.mark
    unsafe slot.pointee = block.address
    return true
  }

  /// Notes blocks that a refill put onto a stack.
  func noteStacked(_ count: Int, _ index: Int) {
    unsafe roomSlot(index).pointee &-= Int16(truncatingIfNeeded: count)
  }

  /// How many blocks a stack holds at most.
  private func stackLimit(_ index: Int) -> Int16 { Int16(fields.refillCounts[index]) }

  /// Gives the stacks, which are empty, the room of the beginning.
  func openStacks() {
    for index in ThreadHeap.firstStack..<SizeClass.count {
      let limit = ThreadHeap.firstStackLimit(index)
      fields.refillCounts[index] = UInt8(truncatingIfNeeded: limit)
      unsafe roomSlot(index).pointee = limit
    }
    fields.stackGrownByteCount = 0
  }

  /// How many blocks are on a stack. Another thread that asks may see only one of two changes that belong together.
  func stackedCount(_ index: Int) -> UInt {
    UInt(max(0, Int(stackLimit(index)) - Int(fields.stackRooms[index])))
  }

  /// Makes room on a stack for the block that found none: the stack grows, or gives its older half to the spans.
  func unstack(_ index: Int, _ block: FreeBlock, of span: Span) {
    if !growStack(index, byteCount: UInt(span.fields.blockByteCount)) {
      trimStack(index, to: Int(stackLimit(index)) / 2)
    }
    _ = pushStacked(block, of: span)
  }

  /// Gives a stack of blocks of `byteCount` bytes more room; false when the stacks grew by too much already.
  private func growStack(_ index: Int, byteCount: UInt) -> Bool {
    let limit = stackLimit(index)
    let more = limit / 2
    let grown = fields.stackGrownByteCount + UInt(more) * byteCount
    guard grown <= fields.cacheLimit / 2, limit + more <= UInt8.max, fields.stackRooms[index] >= 0 else { return false }
    fields.stackGrownByteCount = grown
    fields.refillCounts[index] = UInt8(truncatingIfNeeded: limit + more)
    unsafe roomSlot(index).pointee += more
    return true
  }

  /// Gives all stacks to the spans.
  func flushStacks() {
    for index in ThreadHeap.firstStack..<SizeClass.count { trimStack(index, to: 0) }
    openStacks()
  }

  /// Gives all but the `kept` blocks that were pushed last to their spans.
  private func trimStack(_ index: Int, to kept: Int) {
    let slot = unsafe activeSlot(SizeClass(index: index))
    var older = unsafe FreeBlock(slot.pointee)
    var keptCount = 0
    var last = FreeBlock(0)
    while older.address != 0, keptCount < kept {
      last = older
      older = FreeBlock(older.next)
      keptCount += 1
    }
    if last.address == 0 { unsafe slot.pointee = 0 } else { last.next = 0 }
    unsafe roomSlot(index).pointee = stackLimit(index) &- Int16(truncatingIfNeeded: keptCount)
    while older.address != 0 {
      let next = FreeBlock(older.next)
      let span = space.spanUnchecked(containing: older.address)
      if push(older, onto: span) { handleEvent(span) }
      older = next
    }
  }
}
