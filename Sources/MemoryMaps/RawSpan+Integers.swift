// Integers of tables in memory, at any alignment. All of these trap past the end.

extension RawSpan {
  /// The 32 bits at `offset`, lowest byte first.
  func littleEndian32(at offset: Int) -> UInt32 { UInt32(littleEndian: load(at: offset)) }

  /// The 64 bits at `offset`, lowest byte first.
  func littleEndian64(at offset: Int) -> UInt64 { UInt64(littleEndian: load(at: offset)) }

  /// The 32 bits at `offset`, highest byte first.
  func bigEndian32(at offset: Int) -> UInt32 { UInt32(bigEndian: load(at: offset)) }

  /// The 64 bits at `offset`, highest byte first.
  func bigEndian64(at offset: Int) -> UInt64 { UInt64(bigEndian: load(at: offset)) }

  /// The byte at `offset`.
  func byte(at offset: Int) -> UInt8 { load(at: offset) }

  private func load<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Value {
    // SAFETY: every pattern of bits is an integer, and the load checks the bounds.
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
  }

  /// Ends the decoding of a table that is shorter than it says.
  func require(_ needed: Int) throws(MemoryMapError) {
    guard byteCount >= needed else { throw .truncated(byteCount: byteCount, needed: needed) }
  }

  /// How many entries of `entryByteCount` bytes follow `offset`, which must be a whole number of them.
  func entryCount(of entryByteCount: Int, from offset: Int = 0) throws(MemoryMapError) -> Int {
    let count = (byteCount - offset + entryByteCount - 1) / entryByteCount
    try require(offset + count * entryByteCount)
    return count
  }
}
