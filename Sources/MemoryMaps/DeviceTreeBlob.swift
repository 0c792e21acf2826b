// A flattened device tree is a header, a list of reserved ranges, a stream of tokens (a node begins, a property, a node
// ends), and the names of the properties. All big endian. Devicetree specification 0.4, chapter 5.

/// Where the parts of a flattened device tree are, as offsets that lie in it.
struct DeviceTreeBlob {
  /// The tokens.
  let structure: Range<Int>
  /// The names of properties, each with a NUL at its end.
  let strings: Range<Int>
  /// The reserved ranges: pairs of 64-bit address and size, up to a pair of zeros.
  let reservations: Range<Int>

  /// The size that the header of a tree says.
  static func byteCount(header: RawSpan) throws(MemoryMapError) -> Int {
    try header.require(8)
    let magic = header.bigEndian32(at: 0)
    guard magic == 0xD00D_FEED else { throw .magic(magic) }
    return Int(clamping: header.bigEndian32(at: 4))
  }

  init(_ bytes: RawSpan) throws(MemoryMapError) {
    let byteCount = try DeviceTreeBlob.byteCount(header: bytes)
    let headerByteCount = 40
    guard byteCount >= headerByteCount else { throw .tagSize(byteCount) }
    try bytes.require(byteCount)
    // Versions 16 and 17 differ in the last word alone; later ones say with which they are compatible.
    let version = bytes.bigEndian32(at: 20)
    guard version >= 16 && bytes.bigEndian32(at: 24) <= 17 else { throw .malformed(offset: 20) }
    structure = try DeviceTreeBlob.part(
      bytes, 8, byteCount: version == 16 ? nil : Int(clamping: bytes.bigEndian32(at: 36)), end: byteCount)
    strings = try DeviceTreeBlob.part(bytes, 12, byteCount: Int(clamping: bytes.bigEndian32(at: 32)), end: byteCount)
    reservations = try DeviceTreeBlob.part(bytes, 16, byteCount: nil, end: byteCount)
  }

  /// The part whose offset stands at `field` of the header; without a size it reaches to `end`.
  private static func part(
    _ bytes: RawSpan, _ field: Int, byteCount: Int?, end: Int
  ) throws(MemoryMapError) -> Range<Int> {
    let start = Int(clamping: bytes.bigEndian32(at: field))
    guard start <= end, byteCount ?? 0 <= end - start else { throw .malformed(offset: field) }
    return start..<(byteCount.map { start + $0 } ?? end)
  }

  /// A piece of the structure.
  enum Token {
    /// A node begins; its name, which may have an address behind an `@`, starts here.
    case begin(name: Int)
    /// The node that began last and has not ended ends.
    case end
    /// A property of that node: where its name starts, and its value.
    case property(name: Int, value: Range<Int>)
    /// The structure ends.
    case finish
  }

  /// The token at `offset`, which moves behind it.
  func token(at offset: inout Int, of bytes: RawSpan) throws(MemoryMapError) -> Token {
    while true {
      let start = offset
      switch try word(at: &offset, of: bytes) {
      case 1:
        let name = offset
        while offset < structure.upperBound && bytes.byte(at: offset) != 0 { offset += 1 }
        guard offset < structure.upperBound else { throw .malformed(offset: start) }
        offset = (offset + 4) & ~3
        return .begin(name: name)
      case 2: return .end
      case 3:
        let byteCount = Int(clamping: try word(at: &offset, of: bytes))
        let name = Int(clamping: try word(at: &offset, of: bytes))
        guard byteCount <= structure.upperBound - offset, name < strings.count else { throw .malformed(offset: start) }
        let value = offset..<offset + byteCount
        offset = (offset + byteCount + 3) & ~3
        return .property(name: strings.lowerBound + name, value: value)
      // Nothing, for programs that overwrite what they delete.
      case 4: continue
      case 9: return .finish
      default: throw .malformed(offset: start)
      }
    }
  }

  private func word(at offset: inout Int, of bytes: RawSpan) throws(MemoryMapError) -> UInt32 {
    guard structure.upperBound - offset >= 4 else { throw .malformed(offset: offset) }
    defer { offset += 4 }
    return bytes.bigEndian32(at: offset)
  }
}

extension RawSpan {
  /// Whether `text` stands at `offset`, followed by a NUL or by `separator`.
  func hasText(_ text: StaticString, at offset: Int, separator: UInt8 = 0) -> Bool {
    let count = text.utf8CodeUnitCount
    guard byteCount - offset > count else { return false }
    for index in 0..<count {
      // SAFETY: the index is below the number of bytes that the text has.
      let expected = unsafe text.utf8Start[index]
      if byte(at: offset + index) != expected { return false }
    }
    let next = byte(at: offset + count)
    return next == 0 || next == separator
  }
}
