internal import MemoryRegions

/// The address range from whose start a space commits its memory.
///
/// Usually the whole range is reserved, and nothing else is ever mapped there. But reserved address space counts as
/// used where address space is limited (RLIMIT_AS) or all of it is to be locked (`mlockall`): stacks, libraries and
/// files would get only the rest. There the range is merely chosen, far from where the system puts mappings, and its
/// pages are mapped as they are committed. If another mapping comes to lie in its way, the heap ends there.
package struct HeapReservation {
  /// The first address, a multiple of 2 MiB.
  package let base: UInt
  package let byteCount: UInt
  /// Whether the range is reserved, and not merely chosen.
  package let isReserved: Bool
  /// The pages of the last commit, finished or not.
  private var lastStart: UInt = 0
  private var lastEnd: UInt = 0

  private init(base: UInt, byteCount: UInt, isReserved: Bool) {
    self.base = base
    self.byteCount = byteCount
    self.isReserved = isReserved
  }

  package var end: UInt { base + byteCount }

  private static var alignment: UInt { 2 << 20 }
  private static var leastByteCount: UInt { 16 << 20 }

  /// A range of `most` bytes, or of fewer down to 16 MiB; nil when there is none.
  ///
  /// The range is chosen, not reserved, unless `reserves` is true and the address space has no limit.
  package static func make(byteCount most: UInt, reserves: Bool) -> HeapReservation? {
    let limit = UInt(SystemMemory.addressSpaceLimitByteCount ?? .max)
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

  /// A range that starts at half the address where the system puts mappings: far below them, far above a program
  /// without a fixed address, and as hard to guess as they are.
  private static func choose(byteCount most: UInt) -> HeapReservation? {
    guard let mapping = try? SystemPages.map(byteCount: SystemPages.byteCount) else { return nil }
    try? SystemPages.unmap(mapping, byteCount: SystemPages.byteCount)
    var base = mapping / 2 & ~(alignment - 1)
    while base / 4 >= leastByteCount {
      if canMap(at: base) {
        let byteCount = max(leastByteCount, min(most, base / 4) & ~(alignment - 1))
        return HeapReservation(base: base, byteCount: byteCount, isReserved: false)
      }
      base = base / 2 & ~(alignment - 1)
    }
    return nil
  }

  /// Whether `address` exists and nothing is mapped there.
  private static func canMap(at address: UInt) -> Bool {
    do throws(SystemError) {
      try SystemPages.map(at: address, byteCount: SystemPages.byteCount)
      try SystemPages.unmap(address, byteCount: SystemPages.byteCount)
      return true
    } catch {
      return false
    }
  }

  /// Makes pages of the range readable and writable; none of them was committed before. Returns whether it succeeded.
  package mutating func commit(_ address: UInt, byteCount: UInt) -> Bool {
    if !isReserved {
      lastStart = address
      lastEnd = address + byteCount
    }
    do throws(SystemError) {
      if isReserved {
        try SystemPages.commit(address, byteCount: byteCount)
      } else {
        try SystemPages.map(at: address, byteCount: byteCount)
      }
      return true
    } catch {
      lastEnd = 0
      return false
    }
  }

  /// Ensures, in a child of fork, that pages from `start` to `end` can be committed: another thread of the parent may
  /// just have committed them without noting it.
  package func abandon(from start: UInt, to end: UInt) {
    let first = max(start, lastStart)
    let last = min(end, lastEnd)
    if !isReserved, first < last { try? SystemPages.unmap(first, byteCount: last - first) }
  }

  /// Releases the range, in which nothing was committed.
  package func release() {
    if isReserved { try? SystemPages.unmap(base, byteCount: byteCount) }
  }
}
