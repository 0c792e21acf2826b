// Splitting and joining runs in use. The words below a unit taken as a whole hold zeros; those below a unit whose parts
// are in use one by one hold ones. The difference matters where a run's order crosses a multiple of 6.

extension FreeRunIndex {
  /// Prepares the run in use of order `order` + 1 at `frame` so that its halves can be given back one by one.
  func splitUsed(_ frame: UInt, to order: UInt8) {
    settle()
    cursor = unknownCursor
    fill(frame, order: order + 1, with: ~0)
  }

  /// Prepares two adjacent runs in use of order `order` - 1, the lower at `frame`, to be given back as one.
  func joinUsed(_ frame: UInt, to order: UInt8) {
    settle()
    cursor = unknownCursor
    fill(frame, order: order, with: 0)
  }

  /// Fills the words below a run in use if the run is one unit of a level, 1 to 3.
  private func fill(_ frame: UInt, order: UInt8, with value: UInt64) {
    switch order {
    case 6: setWord(at: frameWord(frame >> 6), to: value)
    case 12: for smaller in 0...UInt(6) { setWord(at: level1Word(node: frame >> 12, order: smaller), to: value) }
    case 18: for smaller in 0...UInt(12) { setWord(at: level2Word(node: frame >> 18, order: smaller), to: value) }
    default: break
    }
  }
}
