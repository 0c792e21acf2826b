/// Why bytes are not an allocation trace, and where.
@frozen
public struct TraceError: Error, Hashable {
  /// What is wrong.
  @frozen
  public enum Finding: Hashable, Sendable {
    /// The bytes do not start with `HLTRACE1`: another kind of file, or a newer format.
    case badMagic
    /// The bytes end inside the header: its magic, its length or its text.
    case truncatedHeader
    /// The bytes end inside an event.
    case truncatedNumber
    /// A number that needs more than 64 bits.
    case oversizedNumber
    /// An event starts with a byte that is not a tag.
    case unknownTag(UInt8)
    /// An event names the object `distance` before the newest, but there are only `objectCount` objects.
    case noSuchObject(distance: UInt64, objectCount: UInt64)
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
