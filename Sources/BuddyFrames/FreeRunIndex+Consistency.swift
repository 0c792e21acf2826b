// Checks the invariants that FreeRunIndex.swift states, for every word that covers some of `frames`.

extension FreeRunIndex {
  /// Throws the first summary bit that does not follow from the words below it.
  ///
  /// - Complexity: O(n) for n frames.
  func checkSummaries(frames: Range<UInt>) throws(BuddyFramesDefect) {
    if frames.isEmpty { return }
    settle()
    for level in 1...topLevel {
      let shift = UInt(6 * level)
      for piece in frames.lowerBound >> shift...(frames.upperBound - 1) >> shift {
        try checkSummary(of: piece, level: level)
      }
    }
  }

  /// Checks the bits of `piece` of level `level` - 1 in its node of `level`.
  private func checkSummary(of piece: UInt, level: Int) throws(BuddyFramesDefect) {
    // Below a block taken as a whole, words mean nothing; nodes of level 3 and up always do.
    if level <= 2 && isUsedAsWhole(piece >> 6, level: level + 1) { return }
    let isFull = saysNone(piece, level: level, order: 0)
    for order in 0...UInt8(min(6 * level, 18)) {
      let expected = isFull && level <= 3 ? true : hasNone(piece, level: level, order: order)
      if saysNone(piece, level: level, order: order) != expected {
        throw .summary(level: level, piece: piece, order: order)
      }
    }
  }

  /// Whether the bit of `piece` of level `level` - 1 is set for `order` in its node of `level`.
  private func saysNone(_ piece: UInt, level: Int, order: UInt8) -> Bool {
    word(at: nodeWord(level: level, node: piece >> 6, order: UInt(order))) >> UInt64(piece & 63) & 1 != 0
  }

  /// Whether `piece` of level `level` - 1 has no free run of `order`, by its own words.
  private func hasNone(_ piece: UInt, level: Int, order: UInt8) -> Bool {
    if level == 1 {
      let frames = RunWord(used: word(at: frameWord(piece)))
      return order == 6 ? frames.used != 0 : !frames.hasRun(order: order)
    }
    let unitOrder = UInt8(6 * (level - 1))
    if order < unitOrder || level > 3 {
      return word(at: nodeWord(level: level - 1, node: piece, order: UInt(order))) == ~0
    }
    let units = RunWord(used: word(at: nodeWord(level: level - 1, node: piece, order: UInt(unitOrder))))
    return order == unitOrder + 6 ? units.used != 0 : !units.hasRun(order: order - unitOrder)
  }

  /// Whether `piece` of level `level` - 1, or a piece around it up to 1 GiB, has nothing free.
  private func isUsedAsWhole(_ piece: UInt, level: Int) -> Bool {
    saysNone(piece, level: level, order: 0) || (level < 3 && isUsedAsWhole(piece >> 6, level: level + 1))
  }
}
