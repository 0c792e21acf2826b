import Addresses

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
  public mutating func add(e820 table: RawSpan, entryByteCount: Int = 20) throws(MemoryMapError) {
    guard entryByteCount == 20 || entryByteCount == 24 else { throw .entrySize(entryByteCount) }
    let entryCount = (table.byteCount + entryByteCount - 1) / entryByteCount
    guard table.byteCount == entryCount * entryByteCount else {
      throw .truncated(byteCount: table.byteCount, needed: entryCount * entryByteCount)
    }
    for entry in 0..<entryCount {
      let offset = entry * entryByteCount
      // Attribute bit 0: the entry is enabled.
      if entryByteCount == 24 && table.littleEndian32(at: offset + 20) & 1 == 0 { continue }
      try add(firmwareEntryAt: offset, of: table, number: entry)
    }
  }

  /// Adds the entry of base, length and type at `offset`, which must lie inside `bytes`.
  mutating func add(firmwareEntryAt offset: Int, of bytes: RawSpan, number: Int) throws(MemoryMapError) {
    let start = PhysAddr(bytes.littleEndian64(at: offset))
    guard let end = start.checkedAdd(bytes.littleEndian64(at: offset + 8)) else { throw .overflow(entry: number) }
    try add(AddrRange(start: start, end: end), MemoryKind(firmwareType: bytes.littleEndian32(at: offset + 16)))
  }
}

extension MemoryKind {
  /// The kind of a firmware type: E820 and Multiboot 2 number them alike.
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

extension RawSpan {
  /// The 32 bits at `offset`, lowest byte first; traps past the end.
  func littleEndian32(at offset: Int) -> UInt32 {
    // SAFETY: every pattern of 32 bits is an integer, and the load checks the bounds.
    UInt32(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// The 64 bits at `offset`, lowest byte first; traps past the end.
  func littleEndian64(at offset: Int) -> UInt64 {
    // SAFETY: as above.
    UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
