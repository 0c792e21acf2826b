import Addresses

// Single frames: what `allocate(_:)` and `deallocate(_:order:)` do for order 0, with less to decide. The lowest free
// frame is known in most cases, since no word below the cursor has one; and of all orders, the largest free run of a
// piece changes by at most one, hence at most one summary bit for each piece.
//
// The work is laid out so that the common path calls nothing and keeps everything in registers; what is rarer is
// done last, in functions of its own that are entered by a jump. They take the result along for that reason.

extension BuddyFrames {
  /// Allocates the lowest free frame; nil when nothing is free.
  @inline(__always)
  mutating func allocateFrame() -> PhysAddr? {
    let used = index.word(at: cursor)
    return used == ~0 ? allocateAboveCursor() : allocateAtCursor(used)
  }

  /// Moves the cursor to the lowest free frame, and allocates it.
  @inline(never)
  private mutating func allocateAboveCursor() -> PhysAddr? {
    guard let piece = index.lowestPiece() else { return nil }
    cursor = index.frameWord(piece)
    return allocateAtCursor(index.word(at: cursor))
  }

  /// Allocates the lowest free frame of the cursor's word, which holds `used` and is not full.
  @inline(__always)
  private mutating func allocateAtCursor(_ used: UInt64) -> PhysAddr? {
    let after = used | (used &+ 1)
    index.setWord(at: cursor, to: after)
    let position = UInt64(truncatingIfNeeded: (~used).trailingZeroBitCount)
    let piece = (cursor &- index.level0) &>> 3
    let frame = piece &<< 6 | UInt(truncatingIfNeeded: position)
    freeFrameCount &-= 1
    table.setState(.allocated(0), at: frame &- firstFrame)
    if used == 0 { return exclude(piece, order: 6, thenReturn: address(of: frame)) }
    let source = RunWord(used: used).maximalOrder(atLowest: position)
    index.counts.cutFrame(outOf: source)
    if RunWord(used: after).hasRun(order: source) { return address(of: frame) }
    return exclude(piece, order: source, thenReturn: address(of: frame))
  }

  /// Notes that `piece` has no free run of `order`, 0 to 6, any more.
  @inline(__always)
  private mutating func exclude(_ piece: UInt, order: UInt8, thenReturn address: PhysAddr) -> PhysAddr? {
    if index.cancelInclusion(of: piece) { return address }
    return order == 6
      ? split(piece, thenReturn: address) : climb(from: piece, excluding: order, thenReturn: address)
  }

  @inline(never)
  private mutating func split(_ piece: UInt, thenReturn address: PhysAddr) -> PhysAddr? {
    index.counts.cutFrame(outOf: index.split(piece, level: 1))
    return address
  }

  @inline(never)
  private mutating func climb(from piece: UInt, excluding order: UInt8, thenReturn address: PhysAddr) -> PhysAddr? {
    index.exclude(piece, from: 1, order: order)
    return address
  }

  /// Takes back an allocated frame.
  @inline(__always)
  mutating func deallocateFrame(_ address: PhysAddr) {
    let inRange = position(of: address)
    guard inRange < frameCount, table.state(at: UInt(truncatingIfNeeded: inRange)) == .allocated(0) else {
      failDeallocation(of: address, order: 0)
    }
    table.setState(.none, at: UInt(truncatingIfNeeded: inRange))
    freeFrameCount &+= 1
    let frame = UInt(truncatingIfNeeded: inRange) &+ firstFrame
    let piece = frame &>> 6
    let word = index.frameWord(piece)
    cursor = min(cursor, word)
    let position = UInt64(frame & 63)
    let after = index.word(at: word) & ~(1 &<< position)
    index.setWord(at: word, to: after)
    if after == 0 { return include(piece, order: 6) }
    let run = RunWord(used: after)
    // Most frames come back to a used buddy: that is worth a test of its own.
    let merged = run.isFree(position ^ 1) ? run.maximalOrder(at: position) : 0
    index.counts.mergeFrame(into: merged)
    if index.isExcluded(piece, order: merged) { include(piece, order: merged) }
  }

  /// Notes, now or later, that `piece` has a free run of `order`, 0 to 6, again.
  @inline(__always)
  private mutating func include(_ piece: UInt, order: UInt8) {
    if !index.deferInclusion(of: piece, order: order) { settleAndInclude(piece, order: order) }
  }

  @inline(never)
  private mutating func settleAndInclude(_ piece: UInt, order: UInt8) {
    index.settle()
    if index.isExcluded(piece, order: order) { _ = index.deferInclusion(of: piece, order: order) }
  }
}
