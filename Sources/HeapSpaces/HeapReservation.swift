internal import MemoryRegions

/// The address range in which a space commits its memory.
///
/// Usually the range is merely *chosen*: it starts far from where the system puts mappings and is as large as the
/// processor allows, but nothing of it is reserved. Its pages are mapped as they are committed. So the process uses no
/// more address space than the heap commits, whatever counts it: RLIMIT_AS and RLIMIT_DATA at the time, `mlockall`,
/// core dumps, emulators. The price is that another mapping may come to lie in the range; the heap goes on behind it.
///
/// A range can also be *reserved*: then nothing else is ever mapped there. Reserved address space counts as used. Core
/// dumps leave it out.
package struct HeapReservation {
  /// The first address, a multiple of 2 MiB.
  package let base: UInt
  package let byteCount: UInt
  /// Whether the range is reserved, and not merely chosen.
  package let isReserved: Bool
  /// What granule 0 starts at a multiple of: 2 MiB, or the size of a huge page.
  let alignment: UInt
  /// The pages of the last commit, finished or not.
  private var lastStart: UInt = 0
  private var lastEnd: UInt = 0

  private init(base: UInt, byteCount: UInt, isReserved: Bool, alignment: UInt) {
    self.base = base
    self.byteCount = byteCount
    self.isReserved = isReserved
    self.alignment = alignment
  }

  package var end: UInt { base + byteCount }

  package static var leastAlignment: UInt { 2 << 20 }
  private static var leastByteCount: UInt { 16 << 20 }

  /// A range of `most` bytes, or of fewer down to 16 MiB; nil when there is none.
  ///
  /// The range is chosen, not reserved, unless `reserves` is true and the address space has no limit.
  package static func make(
    byteCount most: UInt, reserves: Bool, alignment: UInt = HeapReservation.leastAlignment
  ) -> HeapReservation? {
    let limit = UInt(SystemMemory.addressSpaceLimitByteCount ?? .max)
    if !reserves || limit != .max, let range = choose(byteCount: most, alignment) { return range }
    var byteCount = min(most, limit / 4) & ~(alignment - 1)
    while byteCount >= leastByteCount {
      if let base = try? SystemPages.reserve(byteCount: byteCount, alignment: alignment) {
        try? SystemPages.advise(base, byteCount: byteCount, .avoidDump)
        return HeapReservation(base: base, byteCount: byteCount, isReserved: true, alignment: alignment)
      }
      byteCount = byteCount / 2 & ~(alignment - 1)
    }
    return nil
  }

  /// A range that starts at half the address where the system puts mappings: far below them, and as hard to guess as
  /// they are. It ends, if `most` allows, where the processor's addresses do: at the next power of two above them.
  private static func choose(byteCount most: UInt, _ alignment: UInt) -> HeapReservation? {
    let mapping = SystemMemory.mappingAddress
    guard mapping != 0 else { return nil }
    // User programs have the lower half of the addresses at most.
    let end: UInt = 1 << UInt(min(UInt.bitWidth - mapping.leadingZeroBitCount, UInt.bitWidth - 1))
    var base = mapping / 2 & ~(alignment - 1)
    while base >= leastByteCount {
      if canMap(at: base) {
        return HeapReservation(
          base: base, byteCount: min(most, end - base) & ~(alignment - 1), isReserved: false, alignment: alignment)
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

  /// Releases the range, in which nothing was committed.
  package func release() {
    if isReserved { try? SystemPages.unmap(base, byteCount: byteCount) }
  }
}

// Committing.
extension HeapReservation {
  /// What became of a commit. Unless it is done, nothing has changed.
  package enum Outcome {
    case done
    /// Another mapping lies there.
    case occupied
    /// The system, or a limit of the process, does not allow more.
    case refused
  }

  /// Makes pages of the range readable, and writable if `isWritable`; none of them was committed before.
  package mutating func commit(_ address: UInt, byteCount: UInt, isWritable: Bool = true) -> Outcome {
    if !isReserved {
      lastStart = address
      lastEnd = address + byteCount
    }
    do throws(SystemError) {
      if isReserved {
        try SystemPages.commit(address, byteCount: byteCount)
        try? SystemPages.advise(address, byteCount: byteCount, .dump)
      } else {
        try SystemPages.map(at: address, byteCount: byteCount, isWritable: isWritable)
      }
      return .done
    } catch {
      lastEnd = 0
      return error == .exists ? .occupied : .refused
    }
  }

  /// Ensures, in a child of fork, that pages from `start` to `end` can be committed: another thread of the parent may
  /// just have committed them without noting it.
  package func abandon(from start: UInt, to end: UInt) {
    let first = max(start, lastStart)
    let last = min(end, lastEnd)
    if !isReserved, first < last { try? SystemPages.unmap(first, byteCount: last - first) }
  }
}
