import Addresses

// Entries as firmware lists them: a start and a length that may be anything.

extension MemoryMap {
  /// Adds entry number `number` of a table and counts it. An empty entry adds nothing and does not count.
  mutating func add(
    firmwareEntry start: UInt64, byteCount: UInt64, _ kind: MemoryKind, number: Int, _ report: inout MemoryMapReport
  ) throws(MemoryMapError) {
    try add(
      firmwareEntry: start, end: MemoryMap.end(start, byteCount), kind, number: number, &report)
  }

  /// The same, with the end of the entry in place of its length; nil for an end that wraps.
  mutating func add(
    firmwareEntry start: UInt64, end: UInt64?, _ kind: MemoryKind, number: Int, _ report: inout MemoryMapReport
  ) throws(MemoryMapError) {
    guard let range = clip(start, end, isBelieved: kind != .usable, number: number, &report) else { return }
    try add(range, kind)
  }

  /// The end of `byteCount` bytes from `start`, nil when it wraps. An end at 2^64 does not wrap; it becomes 2^64 - 1.
  static func end(_ start: UInt64, _ byteCount: UInt64) -> UInt64? {
    let (sum, wraps) = start.addingReportingOverflow(byteCount)
    return wraps ? (sum == 0 ? .max : nil) : sum
  }

  /// The part of an entry that the map takes, nil for none; counts entries that are not empty.
  ///
  /// - Parameter isBelieved: Whether an entry whose end wraps is clipped; if not, it is skipped.
  func clip(
    _ start: UInt64, _ end: UInt64?, isBelieved: Bool, number: Int, _ report: inout MemoryMapReport
  ) -> AddrRange<PhysAddr>? {
    if start == end { return nil }
    report.entryCount += 1
    if let end, end <= addressLimit.raw { return AddrRange(start: PhysAddr(start), end: PhysAddr(end)) }
    report.firstFlawedEntry = report.firstFlawedEntry ?? number
    if start >= addressLimit.raw || (end == nil && !isBelieved) {
      report.skippedCount += 1
      return nil
    }
    report.clippedCount += 1
    return AddrRange(start: PhysAddr(start), end: addressLimit)
  }
}

extension MemoryKind {
  /// The kind of a firmware type: E820, Multiboot and PVH number them alike.
  init(firmwareType type: UInt32) {
    switch type {
    case 1: self = .usable
    case 3: self = .acpiReclaimable
    case 4: self = .acpiNVS
    case 5: self = .bad
    default: self = .reserved
    }
  }
}
