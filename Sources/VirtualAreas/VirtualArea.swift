public import Addresses
public import PageTables

/// A range of virtual addresses that was allocated.
@frozen
public struct VirtualArea: RegionRecord, Equatable, Sendable {
  /// What an area maps.
  @frozen
  public enum Content: UInt8, Sendable {
    /// Frames of its own, in any order.
    case memory
    /// Frames of another owner, such as a device's.
    case foreignFrames
  }

  /// The first address; a multiple of 4 KiB.
  public let start: VirtAddr
  /// The last address; one below a multiple of 4 KiB.
  public let last: VirtAddr
  /// What the area maps.
  public let content: Content
  /// Whether the area was freed and waits for a purge.
  public var isFreed = false
  /// The area that was freed before this one; null for the first since the last purge.
  @usableFromInline var previousFreed = VirtAddr.null

  @inlinable
  init(_ range: AddrRange<VirtAddr>, _ content: Content) {
    start = range.start
    last = range.last
    self.content = content
  }

  @inlinable
  public var lowest: VirtAddr { start }

  /// The area's addresses.
  @inlinable
  public var range: AddrRange<VirtAddr> { AddrRange(start: start, through: last) }

  /// How many 4 KiB pages the area has.
  @inlinable
  public var pageCount: Int { Int(range.byteCount / 4096) }
}
