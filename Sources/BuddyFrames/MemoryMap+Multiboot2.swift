// The memory map of a Multiboot 2 loader, such as GRUB. Multiboot2 specification 2.0, sections 3.6.1 (information:
// total size, reserved, tags at multiples of 8) and 3.6.8 (tag of type 6: type, size, entry size, entry version,
// then entries of base, length, type, reserved). All little endian.

extension MemoryMap {
  /// Adds the memory map in the information that a Multiboot 2 loader passes.
  ///
  /// - Parameter information: The bytes that the loader points to, at least as many as their first word says.
  public mutating func add(multiboot2 information: RawSpan) throws(MemoryMapError) {
    let headerByteCount = 8
    guard information.byteCount >= headerByteCount else {
      throw .truncated(byteCount: information.byteCount, needed: headerByteCount)
    }
    let end = Int(clamping: information.littleEndian32(at: 0))
    guard information.byteCount >= end else { throw .truncated(byteCount: information.byteCount, needed: end) }
    var offset = headerByteCount
    while offset + headerByteCount <= end {
      let type = information.littleEndian32(at: offset)
      let byteCount = Int(clamping: information.littleEndian32(at: offset + 4))
      guard byteCount >= headerByteCount else { throw .tagSize(byteCount) }
      guard byteCount <= end - offset else { throw .truncated(byteCount: end - offset, needed: byteCount) }
      switch type {
      case 0: throw .noMemoryMap
      case 6: return try add(multiboot2Tag: information.extracting(offset..<offset + byteCount))
      default: offset += (byteCount + 7) & ~7
      }
    }
    throw .noMemoryMap
  }

  /// Adds the entries of a Multiboot 2 memory-map tag: type 6.
  ///
  /// Unknown kinds count as reserved, entries without bytes are passed over. Entries may be larger than the 24 bytes
  /// that version 0 defines; what is beyond is for later versions.
  public mutating func add(multiboot2Tag tag: RawSpan) throws(MemoryMapError) {
    let headerByteCount = 16
    guard tag.byteCount >= headerByteCount else { throw .truncated(byteCount: tag.byteCount, needed: headerByteCount) }
    guard tag.littleEndian32(at: 0) == 6 else { throw .tagType(tag.littleEndian32(at: 0)) }
    let byteCount = Int(clamping: tag.littleEndian32(at: 4))
    guard byteCount >= headerByteCount else { throw .tagSize(byteCount) }
    guard tag.byteCount >= byteCount else { throw .truncated(byteCount: tag.byteCount, needed: byteCount) }
    let entryByteCount = Int(clamping: tag.littleEndian32(at: 8))
    guard entryByteCount >= 24 && entryByteCount <= 4096 && entryByteCount % 8 == 0 else {
      throw .entrySize(entryByteCount)
    }
    let entryCount = (byteCount - headerByteCount + entryByteCount - 1) / entryByteCount
    guard byteCount == headerByteCount + entryCount * entryByteCount else {
      throw .truncated(byteCount: byteCount, needed: headerByteCount + entryCount * entryByteCount)
    }
    for entry in 0..<entryCount {
      try add(firmwareEntryAt: headerByteCount + entry * entryByteCount, of: tag, number: entry)
    }
  }
}
