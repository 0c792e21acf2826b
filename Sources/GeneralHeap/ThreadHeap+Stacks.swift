internal import CLabMalloc

// The classes above 1 KiB have so few blocks to a span that two lists would be swapped at every other request. Their
// active list is a stack: a free by the owner pushes onto it, whatever span the block is of, and the next request gets
// the block that was freed last, still in the processor's cache. To its span a block on the stack is live.
//
//     room + blocks on the stack = limit        (room < 0 after a refill brought more than the limit)
//
// When the room is used up, the older half goes to the spans. The empty heap's rooms are 0: nothing is pushed there.

extension ThreadHeap {
  /// The first class with a stack: the blocks above 1 KiB.
  private static var firstStack: Int { 33 }

  /// How many bytes of blocks a stack holds, but at least four blocks.
  private static var stackByteMaximum: UInt { 64 << 10 }

  /// Whether a class has a stack.
  @inline(__always)
  func hasStack(_ index: Int) -> Bool { index >= ThreadHeap.firstStack }

  /// How many blocks a stack holds at most.
  private static func stackLimit(_ index: Int) -> Int16 {
    Int16(truncatingIfNeeded: max(4, stackByteMaximum / SizeClass(index: index).blockByteCount))
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

  /// Gives a new heap's stacks their room.
  func openStacks() {
    for index in ThreadHeap.firstStack..<SizeClass.count {
      unsafe roomSlot(index).pointee = ThreadHeap.stackLimit(index)
    }
  }

  /// How many blocks are on a stack.
  func stackedCount(_ index: Int) -> UInt {
    UInt(Int(ThreadHeap.stackLimit(index)) - Int(fields.stackRooms[index]))
  }

  /// Gives the older half of a stack to the spans, and the block that found no room.
  func unstack(_ index: Int, _ block: FreeBlock, of span: Span) {
    trimStack(index, to: Int(ThreadHeap.stackLimit(index)) / 2)
    _ = pushStacked(block, of: span)
  }

  /// Gives all stacks to the spans.
  func flushStacks() {
    for index in ThreadHeap.firstStack..<SizeClass.count { trimStack(index, to: 0) }
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
    unsafe roomSlot(index).pointee = ThreadHeap.stackLimit(index) &- Int16(truncatingIfNeeded: keptCount)
    while older.address != 0 {
      let next = FreeBlock(older.next)
      let span = space.spanUnchecked(containing: older.address)
      if push(older, onto: span) { handleEvent(span) }
      older = next
    }
  }
}
