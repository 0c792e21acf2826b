import Addresses

// Blocks of order 0 to 5 lie within one word of the index. This file has the fast paths of `allocate(_:)` and
// `deallocate(_:order:)` for them. The lowest free block is usually known, since no word below the cursor has a free
// frame. A word that gains a run by one deallocation and loses it by the next allocation changes nothing above it.
//
// The common path makes no calls and stays in registers. Rare work comes last, in separate functions that are entered
// by a jump; they take the result along for that reason.

extension BuddyFrames {
  /// Allocates the lowest free frame; nil when nothing is free.
  @inline(__always)
  mutating func allocateFrame() -> PhysAddr? {
    let lowest = min(index.cursor, index.noteWord)
    let used = index.word(at: lowest)
    return used == ~0 ? allocateAboveCursor() : allocate(0, at: lowestFrame(of: used), in: lowest, used)
  }

  /// Moves the cursor, whose word is full, to the lowest free frame, and allocates that frame.
  @inline(never)
  private mutating func allocateAboveCursor() -> PhysAddr? {
    let lowest = lowestWordAboveCursor()
    guard lowest != FreeRunIndex.noNote else { return nil }
    let used = index.word(at: lowest)
    return allocate(0, at: lowestFrame(of: used), in: lowest, used)
  }

  /// Allocates the lowest free block of `order`, 1 to 5; nil when there is none.
  @inline(never)
  mutating func allocateSmallRun(_ order: UInt8) -> PhysAddr? {
    var lowest = min(index.cursor, index.noteWord)
    if index.word(at: lowest) == ~0 {
      lowest = lowestWordAboveCursor()
      if lowest == FreeRunIndex.noNote { return nil }
    }
    // The lowest word with a free frame may have a run. If not, the index finds one.
    let used = index.word(at: lowest)
    let position = RunWord(used: used).lowestRun(order: order)
    if position < 64 { return allocate(order, at: position, in: lowest, used) }
    guard let frame = index.lowestRun(order: order) else { return nil }
    let word = index.frameWord(frame >> 6)
    return allocate(order, at: UInt64(frame & 63), in: word, index.word(at: word))
  }

  /// Moves the cursor, whose word is full, to the lowest word that the index knows to have a free frame. Returns that
  /// word or the word of the open note, whichever is lower, or ``FreeRunIndex/noNote`` when nothing is free.
  @inline(__always)
  private mutating func lowestWordAboveCursor() -> UInt {
    guard let piece = index.lowestPiece() else { return index.noteWord }
    index.cursor = index.frameWord(piece)
    return min(index.noteWord, index.cursor)
  }

  @inline(__always)
  private func lowestFrame(of used: UInt64) -> UInt64 { UInt64(truncatingIfNeeded: (~used).trailingZeroBitCount) }

  /// Allocates the free block of `order`, 0 to 5, at `position` of a level 0 word that holds `used`.
  @inline(__always)
  private mutating func allocate(_ order: UInt8, at position: UInt64, in word: UInt, _ used: UInt64) -> PhysAddr? {
    let after = order == 0 ? used | (used &+ 1) : used | RunWord.run(at: position, order: order)
    index.setWord(at: word, to: after)
    let frame = index.piece(at: word) &<< 6 | UInt(truncatingIfNeeded: position)
    freeFrameCount &-= 1 &<< UInt64(order)
    table.setState(.allocated(order), at: frame &- firstFrame)
    if order > 0 { index.counts.take(order) }
    if used == 0 { return lose(6, in: word, after, order, thenReturn: address(of: frame)) }
    let run = RunWord(used: used)
    // No lower frame is free, so the buddy of an odd frame is in use.
    let source =
      order > 0
      ? run.maximalOrder(at: position) : position & 1 != 0 ? 0 : run.maximalOrder(atLowest: position)
    index.counts.cut(outOf: source)
    if RunWord(used: after).hasRun(order: source) { return address(of: frame) }
    return lose(source, in: word, after, order, thenReturn: address(of: frame))
  }

  /// Records that the word at `word`, now `after`, lost its only free run of order `lost`, 0 to 6, when a block of
  /// `order` was cut out of it; or drops the note that the word has one.
  @inline(__always)
  private mutating func lose(
    _ lost: UInt8, in word: UInt, _ after: UInt64, _ order: UInt8, thenReturn address: PhysAddr
  ) -> PhysAddr? {
    let piece = index.piece(at: word)
    // Halves of a larger run remain, and no block is smaller than a frame: in both cases no other order is lost.
    let isOnlyLoss = lost > order || order == 0
    if index.noteWord == word {
      // The note is about the lost order, and usually about no other.
      if isOnlyLoss && (lost == 0 || lost == 6 || !index.isExcluded(piece, order: lost &- 1)) {
        index.noteWord = FreeRunIndex.noNote
        return address
      }
      return climb(from: word, lost, after, order, thenReturn: address)
    }
    if lost == 6 { return split(piece, thenReturn: address) }
    return isOnlyLoss
      ? climb(from: piece, lost, thenReturn: address) : climb(from: word, lost, after, order, thenReturn: address)
  }

  /// Records that the 64 frames of `piece` are no longer all free.
  @inline(never)
  private mutating func split(_ piece: UInt, thenReturn address: PhysAddr) -> PhysAddr? {
    index.counts.cut(outOf: index.split(piece, level: 1))
    return address
  }

  /// Records that `piece` no longer has a free run of the order `lost`.
  @inline(never)
  private mutating func climb(from piece: UInt, _ lost: UInt8, thenReturn address: PhysAddr) -> PhysAddr? {
    index.exclude(piece, from: 1, order: lost)
    return address
  }

  /// The part of `lose` for a note that shrinks and for several lost orders.
  @inline(never)
  private mutating func climb(
    from word: UInt, _ lost: UInt8, _ after: UInt64, _ order: UInt8, thenReturn address: PhysAddr
  ) -> PhysAddr? {
    let piece = index.piece(at: word)
    // The order of the largest run left, -1 for none. A word loses several orders when its one run, of `order`, is
    // taken.
    var left = Int(lost) - 1
    if lost == order {
      while left >= 0 && !RunWord(used: after).hasRun(order: UInt8(truncatingIfNeeded: left)) { left -= 1 }
    }
    if index.noteWord == word {
      if left >= 0 && index.isExcluded(piece, order: UInt8(truncatingIfNeeded: left)) {
        index.noteOrder = UInt8(truncatingIfNeeded: left)
        return address
      }
      index.noteWord = FreeRunIndex.noNote
    }
    var order = left + 1
    while order <= Int(lost) && !index.isExcluded(piece, order: UInt8(truncatingIfNeeded: order)) {
      index.exclude(piece, from: 1, order: UInt8(truncatingIfNeeded: order))
      order += 1
    }
    return address
  }

  /// Deallocates a frame.
  @inline(__always)
  mutating func deallocateFrame(_ address: PhysAddr) { deallocateSmall(address, 0) }

  /// Deallocates a frame whose index in the range is known.
  @inline(__always)
  mutating func deallocateFrame(_ address: PhysAddr, at position: UInt64) { deallocateSmall(address, 0, at: position) }

  /// Deallocates a block of `order`, 1 to 5.
  @inline(never)
  mutating func deallocateSmallRun(_ address: PhysAddr, _ order: UInt8) { deallocateSmall(address, order) }

  @inline(__always)
  private mutating func deallocateSmall(_ address: PhysAddr, _ order: UInt8) {
    let inRange = position(of: address)
    guard inRange < frameCount else { failDeallocation(of: address, order: order) }
    deallocateSmall(address, order, at: inRange)
  }

  /// The same, for an address whose index in the range is known.
  @inline(__always)
  private mutating func deallocateSmall(_ address: PhysAddr, _ order: UInt8, at inRange: UInt64) {
    guard table.state(at: UInt(truncatingIfNeeded: inRange)) == .allocated(order) else {
      failDeallocation(of: address, order: order)
    }
    table.setState(.none, at: UInt(truncatingIfNeeded: inRange))
    freeFrameCount &+= 1 &<< UInt64(order)
    if order > 0 { index.counts.give(order) }
    let frame = UInt(truncatingIfNeeded: inRange) &+ firstFrame
    let word = index.frameWord(frame &>> 6)
    let position = UInt64(frame & 63)
    let after = index.word(at: word) & ~RunWord.run(at: position, order: order)
    index.setWord(at: word, to: after)
    if after == 0 { return gain(6, in: word) }
    let run = RunWord(used: after)
    // Most freed frames have a used buddy, which is worth a test of its own.
    let merged = order > 0 || run.isFree(position ^ 1) ? run.maximalOrder(at: position) : 0
    index.counts.merge(into: merged)
    if index.isExcluded(frame &>> 6, order: merged) { gain(merged, in: word) }
  }

  /// Records, now or later, that the word at `word` has a free run of `order`, 0 to 6, again.
  @inline(__always)
  private mutating func gain(_ order: UInt8, in word: UInt) {
    if !index.openNote(word, order: order) { settleAndGain(order, in: word) }
  }

  @inline(never)
  private mutating func settleAndGain(_ order: UInt8, in word: UInt) {
    index.settle()
    // The settled note may have been this one.
    if index.isExcluded(index.piece(at: word), order: order) { _ = index.openNote(word, order: order) }
  }
}
