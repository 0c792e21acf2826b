// The table that INT 15h, E820h fills, as a boot loader passes it on: entries of 20 bytes (base, length, type), or 24
// with the extended attributes of ACPI 3.0. All little endian. ACPI specification 6.5, section 15.1.

extension MemoryMap {
  /// Adds the entries of an E820 table.
  ///
  /// Unknown types count as reserved. Empty entries are skipped, as are entries of 24 bytes whose attributes say to
  /// ignore them.
  ///
  /// - Parameters:
  ///   - table: The entries, one after the other.
  ///   - entryByteCount: The size of an entry: 20 or 24.
  @discardableResult
  public mutating func add(
    e820 table: RawSpan, entryByteCount: Int = 20
  ) throws(MemoryMapError) -> MemoryMapReport {
    guard entryByteCount == 20 || entryByteCount == 24 else { throw .entrySize(entryByteCount) }
    var report = MemoryMapReport()
    for entry in 0..<(try table.entryCount(of: entryByteCount)) {
      let offset = entry * entryByteCount
      // Attribute bit 0: the entry is enabled.
      if entryByteCount == 24 && table.littleEndian32(at: offset + 20) & 1 == 0 { continue }
      try add(firmwareEntryAt: offset, of: table, number: entry, &report)
    }
    return report
  }

  /// Adds the entry of base, length and type at `offset`, which must lie inside `bytes`.
  mutating func add(
    firmwareEntryAt offset: Int, of bytes: RawSpan, number: Int, _ report: inout MemoryMapReport
  ) throws(MemoryMapError) {
    try add(
      firmwareEntry: bytes.littleEndian64(at: offset), byteCount: bytes.littleEndian64(at: offset + 8),
      MemoryKind(firmwareType: bytes.littleEndian32(at: offset + 16)), number: number, &report)
  }
}
