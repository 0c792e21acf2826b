/// A range of sizes in which every octave is equally likely: many small sizes and few large ones, as in programs.
///
/// A draw picks an octave 2^k ..< 2^(k+1) and then a size in it. A size outside the range is drawn again.
struct SizeRange {
  let least: Int
  let most: Int

  init(_ least: Int, _ most: Int) {
    self.least = least
    self.most = most
  }

  init(_ byteCount: Int) { self.init(byteCount, byteCount) }

  func draw(_ random: inout Random) -> Int {
    if least == most { return least }
    let first = Int.bitWidth - 1 - least.leadingZeroBitCount
    let octaveCount = Int.bitWidth - most.leadingZeroBitCount - first
    while true {
      let base = 1 << (first + random.below(octaveCount))
      let size = base + random.below(base)
      if size >= least && size <= most { return size }
    }
  }
}

/// 1,024 sizes drawn in advance: a measured loop reads them from the nearest cache.
struct SizeCycle: ~Copyable {
  private let sizes = MappedTable<UInt32>(count: 1024)

  init(_ range: SizeRange, seed: Int = 1) {
    var random = Random(seed: seed)
    for index in 0..<sizes.count { sizes[index] = UInt32(range.draw(&random)) }
  }

  /// The size of operation `index`.
  @inline(__always) subscript(index: Int) -> Int { Int(sizes[index & 1023]) }
}

/// A range of sizes in which every size is equally likely, drawn in the measured loop. A draw is a multiplication, a shift
/// and an addition. The sizes never repeat, and no branch predictor learns them; a table of sizes hides what a
/// branch between classes costs.
struct DrawnSizes {
  let least: Int
  private let count: UInt32

  init(_ least: Int, _ most: Int) {
    self.least = least
    count = UInt32(most - least + 1)
  }

  /// The size that 32 random bits choose.
  @inline(__always) func size(_ bits: UInt32) -> Int { least &+ Random.scaled(bits, below: count) }
}
