internal import MemoryRegions

/// The address range that a heap commits from its start on.
///
/// As a rule it is reserved whole, so that nothing else is ever mapped there. But what is reserved counts as much as what
/// is used where address space is limited (RLIMIT_AS), and where all of it is to be locked (`mlockall`): stacks, libraries
/// and files would get only what the heap left. There the range is no more than chosen, far from where the system puts
/// mappings, and pages are mapped when they are committed. Should something else come to lie in their way, the heap ends
/// there.
struct HeapReservation {
  /// The first address, a multiple of 2 MiB.
  let base: UInt
  let byteCount: UInt
  /// Whether the range is reserved, not only chosen.
  let isReserved: Bool
  /// What was committed last, or is being committed.
  private var lastStart: UInt = 0
  private var lastEnd: UInt = 0

  private init(base: UInt, byteCount: UInt, isReserved: Bool) {
    self.base = base
    self.byteCount = byteCount
    self.isReserved = isReserved
  }

  var end: UInt { base + byteCount }

  private static var alignment: UInt { 2 << 20 }
  private static var leastByteCount: UInt { 16 << 20 }

  /// A range of `most` bytes, or of fewer down to 16 MiB; nil when there is none. It is chosen when it is not to be
  /// reserved, and under a limit of the address space.
  static func make(byteCount most: UInt, reserves: Bool) -> HeapReservation? {
    let limit = SystemMemory.addressSpaceLimitByteCount.map { UInt($0) } ?? .max
    if !reserves || limit != .max, let range = choose(byteCount: min(most, limit)) { return range }
    var byteCount = min(most, limit / 4) & ~(alignment - 1)
    while byteCount >= leastByteCount {
      if let base = try? SystemPages.reserve(byteCount: byteCount, alignment: alignment) {
        return HeapReservation(base: base, byteCount: byteCount, isReserved: true)
      }
      byteCount = byteCount / 2 & ~(alignment - 1)
    }
    return nil
  }

  /// A range from half of where the system puts mappings on: far below them, far above a program without a fixed address
  /// of its own, and as hard to guess as they are.
  private static func choose(byteCount most: UInt) -> HeapReservation? {
    guard let mapping = try? SystemPages.map(byteCount: SystemPages.byteCount) else { return nil }
    try? SystemPages.unmap(mapping, byteCount: SystemPages.byteCount)
    var base = mapping / 2 & ~(alignment - 1)
    while base / 4 >= leastByteCount {
      // Whether anything lies there, and the system has such addresses at all.
      let isFree =
        (try? SystemPages.map(at: base, byteCount: SystemPages.byteCount)) != nil
        && (try? SystemPages.unmap(base, byteCount: SystemPages.byteCount)) != nil
      if isFree {
        let byteCount = max(leastByteCount, min(most, base / 4) & ~(alignment - 1))
        return HeapReservation(base: base, byteCount: byteCount, isReserved: false)
      }
      base = base / 2 & ~(alignment - 1)
    }
    return nil
  }

  /// Makes pages of the range, none of which was committed before, readable and writable; whether it could.
  mutating func commit(_ address: UInt, byteCount: UInt) -> Bool {
    if isReserved { return (try? SystemPages.commit(address, byteCount: byteCount)) != nil }
    lastStart = address
    lastEnd = address + byteCount
    if (try? SystemPages.map(at: address, byteCount: byteCount)) != nil { return true }
    lastEnd = 0
    return false
  }

  /// Makes sure, in a child of fork, that pages from `start` to `end` can be committed, which another thread of the parent
  /// may just have done without having had the time to note it.
  func abandon(from start: UInt, to end: UInt) {
    let first = max(start, lastStart)
    let last = min(end, lastEnd)
    if !isReserved, first < last { try? SystemPages.unmap(first, byteCount: last - first) }
  }

  /// Gives the range back, of which nothing was committed.
  func release() {
    if isReserved { try? SystemPages.unmap(base, byteCount: byteCount) }
  }
}
