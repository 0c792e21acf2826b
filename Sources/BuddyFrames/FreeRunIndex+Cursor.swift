// Where the lowest free frame is, and a note that saves most climbs.
//
// The *cursor* is the address of a level 0 word below which no word has a free frame. Until that word is full, it
// yields the lowest free frame without a search.
//
// The frame given back last is often the next one taken: it is the lowest free one, or the program allocates and frees
// in turn. Giving back a small block may add to the summaries: free runs of orders that its 64 frames had none of. The
// index does not record these at once but opens a *note*: this word has free runs of all orders up to a given one. At
// most one note is open. It is applied before anything reads the summaries or another note replaces it. If a block of
// those 64 frames is taken first and the word thereby loses its largest run, the note shrinks. When it says no more
// than the summaries do, it is dropped. That is the usual end, without a climb. The cursor ignores the word of an open
// note; the lower of the two has the lowest free frame.
//
// The bits of the frames and the counts below order 6 are always up to date. An open note of order 6 also defers the
// count, since only the end of the climb tells the order of the merged block.

extension FreeRunIndex {
  /// The address of a word such that no level 0 word below it has a free frame, except that of the open note.
  ///
  /// When none is known, it is the address of a word of ones below level 0.
  @inline(__always)
  var cursor: UInt {
    get { UInt(truncatingIfNeeded: word(at: table &+ FrameTableLayout.cursor)) }
    nonmutating set { setWord(at: table &+ FrameTableLayout.cursor, to: UInt64(newValue)) }
  }

  /// The address of a word of ones below all level 0 words.
  @inline(__always)
  var unknownCursor: UInt { table &+ FrameTableLayout.ones }

  /// The address of the level 0 word of the open note, ``noNote`` when there is none.
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

  /// The number, counted from the origin, of the 64-frame piece that the word at `address` describes.
  @inline(__always)
  func piece(at address: UInt) -> UInt { (address &- level0) &>> 3 }

  /// Whether the index records that the frames of `piece` have no free run of `order`, 0 to 6.
  @inline(__always)
  func isExcluded(_ piece: UInt, order: UInt8) -> Bool {
    word(at: level1Word(node: piece &>> 6, order: UInt(order))) &>> UInt64(piece & 63) & 1 != 0
  }

  /// Opens a note: the word at `address`, which is excluded for `order`, 0 to 6, has a free run of that order.
  ///
  /// - Returns: Whether no note was open.
  @inline(__always)
  func openNote(_ address: UInt, order: UInt8) -> Bool {
    guard noteWord == FreeRunIndex.noNote else { return false }
    noteWord = address
    noteOrder = order
    return true
  }

  /// Applies the open note, if there is one.
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
      // If the next smaller order is new too, the next iteration includes it.
      var order = noteOrder
      while include(piece, in: 1, order: order), order > 0 { order &-= 1 }
    }
  }

  /// The counts of free blocks, without the open note's.
  @inline(__always)
  var counts: FreeRunCounts { FreeRunCounts(at: table &+ FrameTableLayout.counts) }
}
