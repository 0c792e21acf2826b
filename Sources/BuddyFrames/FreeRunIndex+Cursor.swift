// Where the lowest free frame is, and a note that saves most climbs.
//
// The *cursor* is the address of a word of level 0 below which no word has a free frame, so that the lowest one is
// found without a search until that word is full.
//
// A frame given back often is the next one taken: it is the lowest free one, or the program takes and gives in turn.
// So what giving a small block back adds to the summaries, free runs of orders that its 64 frames had none of, is not
// noted at once. One such *note* may be open, that a word has free runs of all orders up to one; it is made before
// anything looks at the summaries, or another one takes its place. If a block of those 64 frames is taken first and
// the word loses its largest run by that, the note shrinks with it, and is dropped when nothing is left that the
// summaries do not say: the usual end, for which nobody has climbed a level. The cursor leaves the word of an open
// note out of account; the lower of the two has the lowest free frame.
//
// The frames themselves and the counts below order 6 are always up to date. An open note of order 6 stands for the
// count as well, since the order of the merged block is known only at the end of the climb.

extension FreeRunIndex {
  /// The address of a word below which no word of level 0 has a free frame, that of the open note excepted.
  ///
  /// Where that is not known, it is the address of a word of ones that lies below level 0.
  @inline(__always)
  var cursor: UInt {
    get { UInt(truncatingIfNeeded: word(at: table &+ FrameTableLayout.cursor)) }
    nonmutating set { setWord(at: table &+ FrameTableLayout.cursor, to: UInt64(newValue)) }
  }

  /// The address of a word of ones below all words of level 0.
  @inline(__always)
  var unknownCursor: UInt { table &+ FrameTableLayout.ones }

  /// The address of the word of level 0 that the open note is for, ``noNote`` when there is none.
  @inline(__always)
  var noteWord: UInt {
    get { UInt(truncatingIfNeeded: word(at: table &+ FrameTableLayout.note)) }
    nonmutating set { setWord(at: table &+ FrameTableLayout.note, to: UInt64(newValue)) }
  }

  /// The order, 0 to 6, of the largest free run in the word of the open note.
  @inline(__always)
  var noteOrder: UInt8 {
    get { UInt8(truncatingIfNeeded: word(at: table &+ FrameTableLayout.note &+ 8)) }
    nonmutating set { setWord(at: table &+ FrameTableLayout.note &+ 8, to: UInt64(newValue)) }
  }

  /// An address above all words.
  @inline(__always)
  static var noNote: UInt { ~0 }

  /// The 64 frames of the word at `address`, as a number counted from the origin.
  @inline(__always)
  func piece(at address: UInt) -> UInt { (address &- level0) &>> 3 }

  /// Whether it is noted that the frames of `piece` have no free run of `order`, 0 to 6.
  @inline(__always)
  func isExcluded(_ piece: UInt, order: UInt8) -> Bool {
    word(at: level1Word(node: piece &>> 6, order: UInt(order))) &>> UInt64(piece & 63) & 1 != 0
  }

  /// Opens the note that the word at `address`, which is excluded for `order`, 0 to 6, has a free run of it.
  ///
  /// - Returns: Whether no note was open.
  @inline(__always)
  func openNote(_ address: UInt, order: UInt8) -> Bool {
    guard noteWord == FreeRunIndex.noNote else { return false }
    noteWord = address
    noteOrder = order
    return true
  }

  /// Makes the open note.
  @inline(__always)
  func settle() {
    if noteWord != FreeRunIndex.noNote { makeNote() }
  }

  @inline(never)
  private func makeNote() {
    let address = noteWord
    noteWord = FreeRunIndex.noNote
    cursor = min(cursor, address)
    let piece = piece(at: address)
    if noteOrder == 6 {
      counts.merge(into: merge(piece, level: 1))
    } else {
      // The next smaller order, if it is new too, is for the second round.
      var order = noteOrder
      while include(piece, in: 1, order: order), order > 0 { order &-= 1 }
    }
  }

  /// How many free blocks there are, as far as that has been noted.
  @inline(__always)
  var counts: FreeRunCounts { FreeRunCounts(at: table &+ FrameTableLayout.counts) }
}
