import Addresses

// A frame given back often is the next one taken: it is the lowest free one, or its cache lines are warm and its
// holder wants another. So what giving a frame back adds to the summaries, a free run of an order that the piece of
// 64 frames had none of, is not noted at once. One such note may be open; it is made before anything looks at the
// summaries, or another one takes its place. If a frame of that piece is taken first, the piece loses what it gained:
// the run was its only one of that order and its largest, so the next order to get lost is that one. Then the note
// is dropped, and neither of the two climbed any level.
//
// The frames themselves and the counts below order 6 are always up to date. An open note of order 6 stands for the
// count as well, since the order of the merged block is known only at its end.

extension FreeRunIndex {
  /// The open note: a piece of 64 frames and an order, or 0.
  @inline(__always)
  private var deferred: UInt64 {
    get { word(at: table &+ FrameTableLayout.deferred) }
    nonmutating set { setWord(at: table &+ FrameTableLayout.deferred, to: newValue) }
  }

  /// The piece that an open note is for.
  @inline(__always)
  var deferredPiece: UInt? {
    let note = deferred
    return note == 0 ? nil : UInt(truncatingIfNeeded: note &>> 8) &- 1
  }

  /// Whether it is noted that `piece` has no free run of `order`, 0 to 6.
  @inline(__always)
  func isExcluded(_ piece: UInt, order: UInt8) -> Bool {
    word(at: level1Word(node: piece &>> 6, order: UInt(order))) &>> UInt64(piece & 63) & 1 != 0
  }

  /// Opens the note that `piece`, where that is excluded, has a free run of `order`, 0 to 6.
  ///
  /// - Returns: Whether no note was open.
  @inline(__always)
  func deferInclusion(of piece: UInt, order: UInt8) -> Bool {
    guard deferred == 0 else { return false }
    deferred = UInt64(piece &+ 1) &<< 8 | UInt64(order)
    return true
  }

  /// Drops the note for `piece`, which has lost the run that it is about.
  ///
  /// - Returns: Whether there was one.
  @inline(__always)
  func cancelInclusion(of piece: UInt) -> Bool {
    guard deferred &>> 8 == UInt64(piece &+ 1) else { return false }
    deferred = 0
    return true
  }

  /// Makes the open note.
  @inline(__always)
  func settle() {
    if deferred != 0 { settleNote() }
  }

  @inline(never)
  private func settleNote() {
    let piece = UInt(truncatingIfNeeded: deferred &>> 8) &- 1
    let order = UInt8(truncatingIfNeeded: deferred & 0xFF)
    deferred = 0
    if order == 6 {
      counts.mergeFrame(into: merge(piece, level: 1))
    } else {
      _ = include(piece, in: 1, order: order)
    }
  }

  /// How many free blocks there are, as far as that has been noted.
  @inline(__always)
  var counts: FreeRunCounts { FreeRunCounts(at: table &+ FrameTableLayout.counts) }
}
