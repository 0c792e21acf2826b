/// Why a memory map could not be read or extended.
///
/// Errors are about a table as a whole, which then added nothing, except that ``full(capacity:)`` leaves what was added
/// before. A flaw of a single entry is no error: see ``MemoryMapReport``.
public enum MemoryMapError: Error, Equatable, Sendable {
  /// The map would have more entries than its memory has room for: that many.
  case full(capacity: Int)
  /// The bytes end too early: how many there are, and how many are needed.
  case truncated(byteCount: Int, needed: Int)
  /// The format has no entries of this size.
  case entrySize(Int)
  /// The tag is not a memory map, whose type is 6.
  case tagType(UInt32)
  /// A tag says that it is smaller than its own header.
  case tagSize(Int)
  /// The information contains no memory map.
  case noMemoryMap
  /// The table does not begin with its format's magic number or signature; what stands there instead.
  case magic(UInt32)
  /// The bytes of an ACPI table do not add up to 0.
  case checksum
  /// Memory that the information points to cannot be read: its address.
  case unreadable(address: UInt64)
  /// The device tree breaks its format at this offset.
  case malformed(offset: Int)
}
