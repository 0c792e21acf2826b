/// Why bytes are not an allocation trace, and where.
@frozen
public struct TraceError: Error, Hashable {
  /// What is wrong.
  @frozen
  public enum Finding: Hashable, Sendable {
    /// The bytes do not start with `HLTRACE1` or, where blocks may follow, `HLTRACE2`: another kind of file.
    case badMagic
    /// A trace of a version that is newer than this reader.
    case newerVersion(UInt8)
    /// The bytes end inside the header: its magic, its length or its text.
    case truncatedHeader
    /// The bytes end inside an event.
    case truncatedNumber
    /// A number that needs more than 64 bits.
    case oversizedNumber
    /// An event starts with a byte that is not a tag, where tags go up to `highest`.
    case unknownTag(UInt8, highest: UInt8 = 6)
    /// An event names the object `distance` before the newest, but there are only `objectCount` objects.
    case noSuchObject(distance: UInt64, objectCount: UInt64)
    /// The bytes end inside a block, whose header is right as far as it goes.
    case truncatedBlock
    /// The checksum of a block's header does not match.
    case damagedHeader
    /// The checksum of a block's content does not match; the kind is that of ``TraceBlockKind``.
    case damagedContent(kind: UInt8)
    /// A block of more than ``TraceBlock/contentByteCountMax`` bytes.
    case oversizedBlock(byteCount: UInt64)
    /// A block whose content is stored in a way that this reader does not know.
    case unknownEncoding(UInt8)
    /// An alignment of 2^`log2`, where 63 is the highest possible exponent.
    case impossibleAlignment(log2: UInt64)
  }

  /// What is wrong.
  public let finding: Finding

  /// The offset of the error from the start of the trace: the start of the bad tag or number, or the end of the bytes.
  public let byteOffset: Int

  /// A finding at an offset from the start of the trace, in bytes.
  @inlinable public init(_ finding: Finding, at byteOffset: Int) {
    self.finding = finding
    self.byteOffset = byteOffset
  }
}
