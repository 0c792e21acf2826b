import Addresses

// The memory map of a Multiboot 2 boot loader, such as GRUB. Multiboot2 specification 2.0, sections 3.6.1 (information:
// total size, reserved, tags at multiples of 8) 3.6.6 (tag of type 3: a module's start and end) and 3.6.8 (tag of
// type 6: type, size, entry size, entry version, then entries of base, length, type, reserved). All little endian.

extension MemoryMap {
  /// Adds the memory map from the information that a Multiboot 2 boot loader passes, and its modules as
  /// ``MemoryKind/bootloader``.
  ///
  /// The information itself lies in memory that the map calls usable: the caller adds its range.
  ///
  /// - Parameter information: The bytes that the boot loader points to, at least as many as their first word says.
  @discardableResult
  public mutating func add(multiboot2 information: RawSpan) throws(MemoryMapError) -> MemoryMapReport {
    var mapTag: Range<Int>?
    try MemoryMap.forEachTag(of: information) { type, tag throws(MemoryMapError) in
      if type == 6 { mapTag = mapTag ?? tag }
    }
    guard let mapTag else { throw .noMemoryMap }
    var report = try add(multiboot2Tag: information.extracting(mapTag))
    var number = report.entryCount
    try MemoryMap.forEachTag(of: information) { type, tag throws(MemoryMapError) in
      guard type == 3 && tag.count >= 16 else { return }
      let start = UInt64(information.littleEndian32(at: tag.lowerBound + 8))
      let end = UInt64(information.littleEndian32(at: tag.lowerBound + 12))
      if end > start { try add(loaderData: start, byteCount: end - start, number: number, &report) }
      number += 1
    }
    return report
  }

  /// Calls `body` with the type and place of each tag up to the terminating one.
  private static func forEachTag(
    of information: RawSpan, _ body: (UInt32, Range<Int>) throws(MemoryMapError) -> Void
  ) throws(MemoryMapError) {
    let headerByteCount = 8
    try information.require(headerByteCount)
    let end = Int(clamping: information.littleEndian32(at: 0))
    try information.require(end)
    var offset = headerByteCount
    while offset + headerByteCount <= end {
      let type = information.littleEndian32(at: offset)
      let byteCount = Int(clamping: information.littleEndian32(at: offset + 4))
      guard byteCount >= headerByteCount else { throw .tagSize(byteCount) }
      guard byteCount <= end - offset else { throw .truncated(byteCount: end - offset, needed: byteCount) }
      if type == 0 { return }
      try body(type, offset..<offset + byteCount)
      offset += (byteCount + 7) & ~7
    }
  }

  /// Adds the entries of a Multiboot 2 memory-map tag: type 6.
  ///
  /// Unknown kinds count as reserved; empty entries are skipped. Entries may be larger than the 24 bytes that version 0
  /// defines; the rest is for later versions.
  @discardableResult
  public mutating func add(multiboot2Tag tag: RawSpan) throws(MemoryMapError) -> MemoryMapReport {
    let headerByteCount = 16
    try tag.require(headerByteCount)
    guard tag.littleEndian32(at: 0) == 6 else { throw .tagType(tag.littleEndian32(at: 0)) }
    let byteCount = Int(clamping: tag.littleEndian32(at: 4))
    guard byteCount >= headerByteCount else { throw .tagSize(byteCount) }
    try tag.require(byteCount)
    let entryByteCount = Int(clamping: tag.littleEndian32(at: 8))
    guard entryByteCount >= 24 && entryByteCount <= 4096 && entryByteCount % 8 == 0 else {
      throw .entrySize(entryByteCount)
    }
    let entries = tag.extracting(0..<byteCount)
    var report = MemoryMapReport()
    for entry in 0..<(try entries.entryCount(of: entryByteCount, from: headerByteCount)) {
      try add(firmwareEntryAt: headerByteCount + entry * entryByteCount, of: tag, number: entry, &report)
    }
    return report
  }
}
