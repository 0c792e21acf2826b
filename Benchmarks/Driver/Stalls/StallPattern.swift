/// A heap that one thread frees at a stretch. What is measured is the slowest single call: an allocator that gives much
/// memory back in one call, or under a lock that others need, makes its program wait.
enum StallPattern {
  /// The slowest free itself, in processor time.
  case frees(byteCount: Int, FreeOrder)
  /// The slowest call of another thread meanwhile, in elapsed time.
  case besideFrees(FreedBlocks, byteCount: Int)

  /// How many threads call the allocator.
  var threadCount: Int {
    switch self {
    case .frees: 1
    case .besideFrees: CallsBesideFrees.threadCount
    }
  }

  /// Runs the pattern with `percent` of its full size.
  func run(percent: Int) -> StallFigures {
    let faultCount = Residence.minorFaultCount
    let start = Elapsed.now
    let (callCount, slowestNanoseconds) =
      switch self {
      case .frees(let byteCount, let order): Frees.run(byteCount / 100 * percent, order)
      case .besideFrees(let blocks, let byteCount): CallsBesideFrees.run(blocks, byteCount / 100 * percent)
      }
    return StallFigures(
      callCount: callCount, elapsed: .now - start, slowestNanoseconds: slowestNanoseconds,
      minorFaultCount: Residence.minorFaultCount - faultCount)
  }
}

/// The order in which a heap is freed.
enum FreeOrder {
  case random
  /// The order of allocation.
  case firstFirst
}

/// The blocks of a heap that is freed beside another thread, and the blocks that the other thread replaces meanwhile.
enum FreedBlocks {
  case small
  case large

  var sizes: SizeRange {
    switch self {
    case .small: SizeRange(128, 1 << 10)
    case .large: SizeRange(200_000)
    }
  }

  var otherSizes: SizeRange {
    switch self {
    case .small: SizeRange(100, 200)
    case .large: SizeRange(40_000, 80_000)
    }
  }
}

/// The figures of a stall pattern.
struct StallFigures {
  /// How many calls were timed.
  let callCount: Int
  let elapsed: Elapsed
  let slowestNanoseconds: Int
  let minorFaultCount: Int
}
