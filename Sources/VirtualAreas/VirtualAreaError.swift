public import Addresses
public import PageTables

/// Why an area could not be allocated. Nothing has changed, except that freed areas may have been purged.
public enum VirtualAreaError: Error, Equatable, Sendable {
  /// No free range has room for this many bytes between its guards.
  case noRoom(UInt)
  /// The allocator has no frame for a page, a table or another area.
  case outOfFrames
  /// The frames do not start and end at multiples of 4 KiB, are none, or do not fit the entries of the tables.
  case unreachableFrames(PhysAddr)
  /// The processor cannot enforce these permissions; see `MapError.unsupportedPermissions`.
  case unsupportedPermissions(MemPerm)
  /// The processor's entries cannot express this memory type; see `MapError.unsupportedMemoryType`.
  case unsupportedMemoryType(MemoryType)
}

#if !hasFeature(Embedded)
  extension VirtualAreaError: CustomStringConvertible {
    public var description: String {
      switch self {
      case .noRoom(let byteCount):
        "no free range has room for \(byteCount) bytes between its guards; free an area first"
      case .outOfFrames: "no frame is left for a page, a table or another area; free some memory first"
      case .unreachableFrames(let start):
        "the frames from \(start) on are not whole pages that the entries of the tables can hold"
      case .unsupportedPermissions(let permissions): MapError.unsupportedPermissions(permissions).description
      case .unsupportedMemoryType(let type): MapError.unsupportedMemoryType(type).description
      }
    }
  }
#endif
