// Mappings that blocks above 32 MiB left behind, kept for the next such block. A mapping from the system has no memory:
// its first use costs a page fault and a cleared page each time, a hundred times as much as the use itself.
//
// A block gets the first bytes of the shortest run of kept mappings that is long enough. The rest stays kept. Mappings
// that lie side by side are one run, but stay apart here, because each has its own age: the rest of a block that was
// large once goes back to the system while smaller blocks come and go in front of it. Two sizes in turn still find the
// whole run.
//
// Everything that is kept goes back when nobody has used it for the purge delay. What goes first is the end of the
// oldest mapping, a piece at a time; the rest can be used meanwhile.
//
// Nothing here maps memory or reads a clock: callers do, and pass the time in milliseconds.

/// A mapping, or the end of one, that no block uses.
struct KeptMapping: Equatable {
  var address: UInt
  /// Its size in bytes, a multiple of the page.
  var byteCount: UInt
  /// The time at which its block was freed.
  var keptAtMilliseconds: UInt

  var end: UInt { address + byteCount }
}

/// The kept mappings, the oldest first. Zero bytes are its initial value.
struct KeptMappings {
  /// The most mappings that are kept, and the most bytes of all together.
  static var countMaximum: Int { 16 }
  static var byteMaximum: UInt { 1 << 30 }

  private var mappings = InlineArray<16, KeptMapping>(
    repeating: KeptMapping(address: 0, byteCount: 0, keptAtMilliseconds: 0))
  private(set) var count = 0
  /// The bytes of all kept mappings.
  private(set) var byteCount: UInt = 0

  /// The oldest mapping, nil when none is kept.
  var oldest: KeptMapping? { count == 0 ? nil : mappings[0] }

  /// Whether a mapping of `byteCount` bytes can be added within the bounds.
  func hasRoom(for byteCount: UInt) -> Bool {
    count < KeptMappings.countMaximum && byteCount <= KeptMappings.byteMaximum - self.byteCount
  }

  /// Adds a mapping, for which there must be room. It must be the youngest.
  mutating func add(_ mapping: KeptMapping) {
    mappings[count] = mapping
    count += 1
    byteCount += mapping.byteCount
  }

  /// Takes `byteCount` bytes, a multiple of the page, from the shortest run that has them and starts at a multiple of
  /// `alignment`. Returns their address, nil when there is no such run. Of runs of one length the youngest serves: if two
  /// served in turn, neither would ever be old enough to go back.
  /// - Complexity: O(`countMaximum`²)
  mutating func take(byteCount: UInt, alignment: UInt) -> UInt? {
    var best: UInt?
    var bestByteCount = UInt.max
    for index in 0..<count where mappings[index].address & (alignment - 1) == 0 {
      let runByteCount = runByteCount(from: mappings[index].address, atLeast: byteCount)
      guard runByteCount >= byteCount, runByteCount <= bestByteCount else { continue }
      best = mappings[index].address
      bestByteCount = runByteCount
    }
    if let best { takeRun(from: best, byteCount: byteCount) }
    return best
  }

  /// Takes the end of the oldest mapping, at most `byteCount` bytes of it; nil when none was kept at `time` or before.
  mutating func takePiece(atMost byteCount: UInt, keptUpTo time: UInt) -> KeptMapping? {
    guard var piece = oldest, piece.keptAtMilliseconds <= time else { return nil }
    let left = piece.byteCount - min(byteCount, piece.byteCount)
    piece.address += left
    piece.byteCount -= left
    self.byteCount -= piece.byteCount
    if left == 0 { remove(at: 0) } else { mappings[0].byteCount = left }
    return piece
  }

  /// How many bytes lie side by side from `address` on. Mappings behind the first `least` bytes do not count.
  private func runByteCount(from address: UInt, atLeast least: UInt) -> UInt {
    var byteCount: UInt = 0
    while byteCount < least, let next = index(startingAt: address + byteCount) { byteCount += mappings[next].byteCount }
    return byteCount
  }

  /// Takes the first bytes of a run, which has them.
  private mutating func takeRun(from start: UInt, byteCount: UInt) {
    self.byteCount -= byteCount
    let end = start + byteCount
    var address = start
    while address < end, let index = index(startingAt: address) {
      address = min(mappings[index].end, end)
      if address == mappings[index].end {
        remove(at: index)
      } else {
        mappings[index].byteCount = mappings[index].end - address
        mappings[index].address = address
      }
    }
  }

  private func index(startingAt address: UInt) -> Int? {
    for index in 0..<count where mappings[index].address == address { return index }
    return nil
  }

  private mutating func remove(at index: Int) {
    count -= 1
    for later in index..<count { mappings[later] = mappings[later + 1] }
  }
}
