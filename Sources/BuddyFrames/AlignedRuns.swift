/// A stretch of frame numbers as the fewest aligned runs of powers of two, lowest first, none above order 18.
struct AlignedRuns {
  private var position: UInt
  private let end: UInt

  init(from first: UInt, to end: UInt) {
    position = first
    self.end = end
  }

  /// The next run, nil after the last.
  mutating func next() -> (frame: UInt, order: UInt8)? {
    guard position < end else { return nil }
    let fitting = UInt.bitWidth - 1 - (end - position).leadingZeroBitCount
    let order = min(min(position.trailingZeroBitCount, fitting), 18)
    defer { position += 1 << UInt(order) }
    return (position, UInt8(order))
  }
}
