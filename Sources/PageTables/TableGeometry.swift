// The shape of a format's tables, under short names where tables are walked.

extension PageTableFormat {
  @usableFromInline typealias Span = TableSpan<Self>
}

extension PageTable {
  @usableFromInline typealias TableSpan = Format.Span

  /// How many bytes an entry of a level covers.
  @inlinable @inline(__always)
  func slotByteCount(_ level: Int) -> UInt64 { Format.slotByteCount(level) }

  /// The index of the entry of a level that covers an address.
  @inlinable @inline(__always)
  func slotIndex(_ address: UInt64, level: Int) -> Int { Format.slotIndex(address, level: level) }
}

extension AddressSpace {
  @usableFromInline typealias TableSpan = Format.Span

  /// How many bytes an entry of a level covers.
  @inlinable @inline(__always)
  func slotByteCount(_ level: Int) -> UInt64 { Format.slotByteCount(level) }

  /// The index of the entry of a level that covers an address.
  @inlinable @inline(__always)
  func slotIndex(_ address: UInt64, level: Int) -> Int { Format.slotIndex(address, level: level) }
}
