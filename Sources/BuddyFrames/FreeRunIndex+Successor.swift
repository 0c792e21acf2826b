// The next free frame at or above a given one, by the words of order 0: down along the frame's own pieces, and where
// those have nothing more, to the next piece that has.

extension FreeRunIndex {
  /// The number of the lowest free frame at or above `frame`, or nil when there is none.
  ///
  /// - Complexity: O(log₆₄ n) for n frames
  func lowestFree(from frame: UInt) -> UInt? {
    settle()
    return lowestFree(in: 0, level: topLevel, from: frame)
  }

  /// The lowest free frame at or above `frame` in a node of `level`, which is known to have a free frame unless it is
  /// the top one.
  private func lowestFree(in node: UInt, level: Int, from frame: UInt) -> UInt? {
    let shift = UInt(6 &* level)
    let first = node &<< (shift &+ 6)
    // The number of the piece that contains the frame, if that is in this node at all.
    let start = frame > first ? (frame &- first) &>> shift : 0
    if start > 63 { return nil }
    let none = level == 0 ? word(at: frameWord(node)) : word(at: nodeWord(level: level, node: node, order: 0))
    let free = ~none & ~0 &<< UInt64(start)
    if free == 0 { return nil }
    let piece = UInt(truncatingIfNeeded: free.trailingZeroBitCount)
    if level == 0 { return node &<< 6 | piece }
    if let found = lowestFree(in: node &<< 6 | piece, level: level &- 1, from: frame) { return found }
    // The frame's own piece has nothing at or above it; any later piece is known to have a free frame.
    let later = free & (free &- 1)
    if later == 0 { return nil }
    return lowestFree(
      in: node &<< 6 | UInt(truncatingIfNeeded: later.trailingZeroBitCount), level: level &- 1, from: frame)
  }
}
