public import Addresses

// ACPI's system resource affinity table says which memory is near which processors: after the header of 48 bytes come
// structures of type and length, of which type 1 is memory (node, base, length, flags: enabled, hot-pluggable). All
// little endian. ACPI specification 6.5, sections 5.2.6 and 5.2.16.

extension MemoryMap {
  /// Says which NUMA node the memory belongs to, from ACPI's SRAT. Memory that the map does not know stays unknown: the
  /// table also lists ranges for memory that may be plugged in later.
  ///
  /// - Parameter table: The whole table, at least as many bytes as its length says.
  @discardableResult
  public mutating func setNodes(srat table: RawSpan) throws(MemoryMapError) -> MemoryMapReport {
    var report = MemoryMapReport()
    try SRAT.forEachMemoryRange(of: table) { number, range throws(MemoryMapError) in
      let end = MemoryMap.end(range.start, range.byteCount)
      guard let clipped = clip(range.start, end, isBelieved: false, number: number, &report) else { return }
      try setNode(range.node, of: clipped)
    }
    return report
  }

  /// The smallest range around all memory that ACPI's SRAT lists, memory that may be plugged in later included; empty
  /// when it lists none below ``addressLimit``.
  public func memoryRange(srat table: RawSpan) throws(MemoryMapError) -> AddrRange<PhysAddr> {
    var report = MemoryMapReport()
    var hull: AddrRange<PhysAddr>?
    try SRAT.forEachMemoryRange(of: table) { number, range throws(MemoryMapError) in
      let end = MemoryMap.end(range.start, range.byteCount)
      guard let clipped = clip(range.start, end, isBelieved: false, number: number, &report) else { return }
      hull = AddrRange(
        start: min(clipped.start, hull?.start ?? clipped.start), end: max(clipped.end, hull?.end ?? clipped.end))
    }
    return hull ?? AddrRange(start: .null, end: .null)
  }
}

/// The structures of an SRAT.
private enum SRAT {
  struct MemoryRange {
    let start: UInt64
    let byteCount: UInt64
    let node: UInt32
  }

  /// Calls `body` for each enabled range of memory, once the whole table is known to be sound.
  static func forEachMemoryRange(
    of table: RawSpan, _ body: (_ number: Int, MemoryRange) throws(MemoryMapError) -> Void
  ) throws(MemoryMapError) {
    let headerByteCount = 48
    try table.require(headerByteCount)
    let signature = table.littleEndian32(at: 0)
    // "SRAT", lowest byte first.
    guard signature == 0x5441_5253 else { throw .magic(signature) }
    let end = Int(clamping: table.littleEndian32(at: 4))
    guard end >= headerByteCount else { throw .tagSize(end) }
    try table.require(end)
    var sum: UInt8 = 0
    for offset in 0..<end { sum &+= table.byte(at: offset) }
    guard sum == 0 else { throw .checksum }

    var offset = headerByteCount
    while offset < end { offset = try endOfStructure(at: offset, of: table, end) }
    offset = headerByteCount
    var number = 0
    while offset < end {
      // Flag 0: the entry is enabled.
      if table.byte(at: offset) == 1, table.littleEndian32(at: offset + 28) & 1 != 0 {
        let range = MemoryRange(
          start: table.littleEndian64(at: offset + 8), byteCount: table.littleEndian64(at: offset + 16),
          node: table.littleEndian32(at: offset + 2))
        try body(number, range)
      }
      number += 1
      offset = try endOfStructure(at: offset, of: table, end)
    }
  }

  private static func endOfStructure(at offset: Int, of table: RawSpan, _ end: Int) throws(MemoryMapError) -> Int {
    guard end - offset >= 2 else { throw .truncated(byteCount: end, needed: offset + 2) }
    let byteCount = Int(table.byte(at: offset + 1))
    guard byteCount >= (table.byte(at: offset) == 1 ? 40 : 2) else { throw .entrySize(byteCount) }
    guard byteCount <= end - offset else { throw .truncated(byteCount: end, needed: offset + byteCount) }
    return offset + byteCount
  }
}
