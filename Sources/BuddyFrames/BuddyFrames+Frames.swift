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
    let lowest = min(index.cursor, index.noteWord)
    let used = index.word(at: lowest)
    return used == ~0 ? allocateAboveCursor() : allocate(in: lowest, used)
  }

  /// Moves the cursor, whose word is full, to the lowest free frame, and allocates that.
  @inline(never)
  private mutating func allocateAboveCursor() -> PhysAddr? {
    var lowest = index.noteWord
    if let piece = index.lowestPiece() {
      index.cursor = index.frameWord(piece)
      lowest = min(lowest, index.cursor)
    }
    return lowest == FreeRunIndex.noNote ? nil : allocate(in: lowest, index.word(at: lowest))
  }

  /// Allocates the lowest free frame of a word of level 0, which holds `used` and is not full.
  @inline(__always)
  private mutating func allocate(in word: UInt, _ used: UInt64) -> PhysAddr? {
    let after = used | (used &+ 1)
    index.setWord(at: word, to: after)
    let position = UInt64(truncatingIfNeeded: (~used).trailingZeroBitCount)
    let frame = index.piece(at: word) &<< 6 | UInt(truncatingIfNeeded: position)
    freeFrameCount &-= 1
    table.setState(.allocated(0), at: frame &- firstFrame)
    if used == 0 { return exclude(word, order: 6, thenReturn: address(of: frame)) }
    let source = RunWord(used: used).maximalOrder(atLowest: position)
    index.counts.cutFrame(outOf: source)
    if RunWord(used: after).hasRun(order: source) { return address(of: frame) }
    return exclude(word, order: source, thenReturn: address(of: frame))
  }

  /// Notes that the frames of `word` have no free run of `order`, 0 to 6, any more.
  @inline(__always)
  private mutating func exclude(_ word: UInt, order: UInt8, thenReturn address: PhysAddr) -> PhysAddr? {
    if index.dropNote(word) { return address }
    let piece = index.piece(at: word)
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
    let word = index.frameWord(frame &>> 6)
    let position = UInt64(frame & 63)
    let after = index.word(at: word) & ~(1 &<< position)
    index.setWord(at: word, to: after)
    if after == 0 { return include(word, order: 6) }
    let run = RunWord(used: after)
    // Most frames come back to a used buddy: that is worth a test of its own.
    let merged = run.isFree(position ^ 1) ? run.maximalOrder(at: position) : 0
    index.counts.mergeFrame(into: merged)
    if index.isExcluded(frame &>> 6, order: merged) { include(word, order: merged) }
  }

  /// Notes, now or later, that the frames of `word` have a free run of `order`, 0 to 6, again.
  @inline(__always)
  private mutating func include(_ word: UInt, order: UInt8) {
    if !index.openNote(word, order: order) { settleAndInclude(word, order: order) }
  }

  @inline(never)
  private mutating func settleAndInclude(_ word: UInt, order: UInt8) {
    index.settle()
    // What was settled may have been this.
    if index.isExcluded(index.piece(at: word), order: order) { _ = index.openNote(word, order: order) }
  }
}
