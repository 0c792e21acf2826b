// Finding free runs. Each step reads one word, finds the first piece that holds a run of the order, and descends into
// it.

extension FreeRunIndex {
  /// The number of the first frame of the lowest free run of `order`, or nil when there is none.
  ///
  /// - Complexity: O(log₆₄ n) for n frames: four words up to 64 GiB, five up to 4 TiB.
  func lowestRun(order: UInt8) -> UInt? {
    settle()
    guard var piece = lowestGibibyte(order: order) else { return nil }
    if order >= 18 { return piece &<< 18 }
    if order >= 12 {
      return enter(piece, unitsAt: level2Word(node: piece, order: 12), order: order &- 12) &<< 12
    }
    piece = descend(into: piece, along: level2Word(node: piece, order: UInt(order)))
    if order >= 6 {
      return enter(piece, unitsAt: level1Word(node: piece, order: 6), order: order &- 6) &<< 6
    }
    piece = descend(into: piece, along: level1Word(node: piece, order: UInt(order)))
    return enter(piece, unitsAt: frameWord(piece), order: order)
  }

  /// The lowest 64-frame piece that is recorded to have a free frame, counted from the origin; nil when there is none.
  @inline(__always)
  func lowestPiece() -> UInt? {
    guard var piece = lowestGibibyte(order: 0) else { return nil }
    piece = descend(into: piece, along: level2Word(node: piece, order: 0))
    return descend(into: piece, along: level1Word(node: piece, order: 0))
  }

  /// The lowest piece of 1 GiB that holds a free run of `order`, or nil when there is none.
  @inline(__always)
  private func lowestGibibyte(order: UInt8) -> UInt? {
    guard word(at: topWord(order: UInt(order))) != ~0 else { return nil }
    var piece: UInt = 0
    var level = topLevel
    while level >= 3 {
      piece = descend(into: piece, along: upperWord(level: level, node: piece, order: UInt(order)))
      level &-= 1
    }
    return piece
  }

  /// The first part of `piece` that holds a run, according to the word at `address`.
  @inline(__always)
  private func descend(into piece: UInt, along address: UInt) -> UInt {
    piece &<< 6 | UInt(truncatingIfNeeded: (~word(at: address)).trailingZeroBitCount)
  }

  /// The first unit of the lowest run of `order`, 0 to 5, in `piece`, whose units are the bits of the word at
  /// `address`.
  @inline(__always)
  private func enter(_ piece: UInt, unitsAt address: UInt, order: UInt8) -> UInt {
    piece &<< 6 | UInt(truncatingIfNeeded: RunWord(used: word(at: address)).lowestRun(order: order))
  }

  /// Whether all frames of the aligned run of `order` that starts at `frame` are free.
  ///
  /// - Complexity: O(1)
  func isFree(_ frame: UInt, order: UInt8) -> Bool {
    settle()
    let gibibyte = frame >> 18
    if !isSet(upperWord(level: 3, node: gibibyte >> 6, order: 18), gibibyte) { return true }
    if order == 18 || isSet(upperWord(level: 3, node: gibibyte >> 6, order: 0), gibibyte) { return false }
    let node1 = frame >> 12
    if order >= 12 { return isFree(level2Word(node: gibibyte, order: 12), unit: node1, order: order - 12) }
    if !isSet(level2Word(node: gibibyte, order: 12), node1) { return true }
    if isSet(level2Word(node: gibibyte, order: 0), node1) { return false }
    let word = frame >> 6
    if order >= 6 { return isFree(level1Word(node: node1, order: 6), unit: word, order: order - 6) }
    if !isSet(level1Word(node: node1, order: 6), word) { return true }
    if isSet(level1Word(node: node1, order: 0), word) { return false }
    return isFree(frameWord(word), unit: frame, order: order)
  }

  /// Whether the bit of piece `index` is set in the word at `address`.
  @inline(__always)
  private func isSet(_ address: UInt, _ index: UInt) -> Bool {
    word(at: address) &>> UInt64(index & 63) & 1 != 0
  }

  /// Whether the units of the aligned run of `order` at `unit` are free in the word at `address`.
  private func isFree(_ address: UInt, unit: UInt, order: UInt8) -> Bool {
    word(at: address) & RunWord.run(at: UInt64(unit & 63), order: order) == 0
  }
}
