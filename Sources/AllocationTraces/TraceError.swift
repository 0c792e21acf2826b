/// Why bytes are no allocation trace, and where.
@frozen
public struct TraceError: Error, Hashable {
  /// What is wrong.
  @frozen
  public enum Finding: Hashable, Sendable {
    /// The bytes do not start with `HLTRACE1`: this is another kind of file, or a newer format.
    case badMagic
    /// The bytes end within the header: its magic, its length or its text.
    case truncatedHeader
    /// The bytes end within an event.
    case truncatedNumber
    /// A number that needs more than 64 bits.
    case oversizedNumber
    /// An event that starts with a byte that is no tag.
    case unknownTag(UInt8)
    /// An event about the object `distance` before the newest, when there are only `objectCount` objects.
    case noSuchObject(distance: UInt64, objectCount: UInt64)
    /// An alignment of 2 to the power of this; 63 is the highest there is.
    case impossibleAlignment(log2: UInt64)
  }

  /// What is wrong.
  public let finding: Finding

  /// The byte from the start of the trace at which it is wrong: where a bad tag or number starts, or the end.
  public let byteOffset: Int

  @inlinable public init(_ finding: Finding, at byteOffset: Int) {
    self.finding = finding
    self.byteOffset = byteOffset
  }
}
