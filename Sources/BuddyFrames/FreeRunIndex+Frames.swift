import Addresses

// Taking and giving back single frames: what `take` and `give` do for order 0, with less to decide. The word is
// known, so is the order of its level, and at most one order of a piece changes. What follows from that is done
// last, in functions of its own, so that the common path keeps everything in registers.

extension FreeRunIndex {
  /// The word of level 0 at `address`, whose lowest free frame was just taken, was `before` and is `after` now:
  /// updates everything above.
  ///
  /// - Returns: The order of the largest free run that the frame was part of.
  @inline(__always)
  func noteTaken(_ position: UInt64, in piece: UInt, before: UInt64, after: UInt64) -> UInt8 {
    if before == 0 { return split(piece, level: 1) }
    let source = RunWord(used: before).maximalOrder(atLowest: position)
    if !RunWord(used: after).hasRun(order: source) { exclude(piece, from: 1, order: source) }
    return source
  }

  /// The frame at `position` of a word of level 0 was just given back, which makes it `after`: updates everything
  /// above.
  ///
  /// - Returns: The order of the largest free run that the frame is part of now.
  @inline(__always)
  func noteGiven(_ position: UInt64, in piece: UInt, after: UInt64) -> UInt8 {
    if after == 0 { return merge(piece, level: 1) }
    let merged = RunWord(used: after).maximalOrder(at: position)
    _ = include(piece, in: 1, order: merged)
    return merged
  }
}
