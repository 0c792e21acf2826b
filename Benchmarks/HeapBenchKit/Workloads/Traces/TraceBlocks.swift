import AllocationTraces

/// The blocks of a mapped trace of version 2, from front to back.
struct TraceBlocks {
  private let file: MappedFile
  private var decompressed: [UInt8] = []

  /// The start of the next block.
  private(set) var offset: Int
  /// What lies before it and after the first block was forgotten: the resident set does not grow with the file.
  private var forgotten: Int

  /// Blocks from `offset` on, by default from the first.
  init(_ file: MappedFile, from offset: Int = TraceBlock.magicByteCount) {
    self.file = file
    self.offset = offset
    forgotten = offset
  }

  /// Passes the next block and its content to `body`; returns nil after the last whole one.
  ///
  /// The content of a kind that `isWanted` refuses is checked, and not decompressed: `body` gets no bytes of it.
  mutating func next<Value>(
    _ isWanted: (TraceBlockKind) -> Bool = { _ in true },
    _ body: (TraceBlock, Span<UInt8>, Int) throws(TraceFileError.Finding) -> Value
  ) throws(TraceFileError.Finding) -> Value? {
    let (file, start) = (file, offset)
    if start - forgotten >= MappedFile.forgottenByteCount {
      file.forget(forgotten..<start)
      forgotten = start
    }
    return try file.withBytes { bytes throws(TraceFileError.Finding) -> Value? in
      guard start < bytes.count else { return nil }
      let block: TraceBlock
      let stored: Range<Int>
      do throws(TraceError) {
        (block, stored) = try TraceBlock.decode(bytes, at: start)
      } catch {
        if error.finding == .truncatedBlock { return nil }
        throw .malformed(error)
      }
      offset = stored.upperBound
      guard isWanted(block.kind) else { return try body(block, bytes.extracting(first: 0), start) }
      switch block.encoding {
      case .plain: return try body(block, bytes.extracting(stored), start)
      case .zstd:
        guard Zstandard.isThere else { throw .noZstandard(byteOffset: start) }
        let byteCount = Int(block.contentByteCount)
        guard Zstandard.decompress(bytes.extracting(stored), byteCount: byteCount, into: &decompressed) else {
          throw .badFrame(byteOffset: start)
        }
        return try body(block, decompressed.span, start)
      }
    }
  }
}
