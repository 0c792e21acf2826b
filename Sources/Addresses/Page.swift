public import Assertions

/// A page of an address space: a `Page<VirtAddr>` is a page, a `Page<PhysAddr>` is a frame.
@frozen
public struct Page<A: Addr>: Hashable, Sendable {
  /// The first address, a multiple of the size.
  public let start: A

  /// The page's size.
  public let size: PageSize

  /// The page that starts at `start`; traps unless that is a multiple of the size.
  @inlinable public init(start: A, size: PageSize = .size4KiB) {
    require(
      start.isAligned(to: A.Raw(size.byteCount)), "a page must start at a multiple of its size, found",
      UInt64(truncatingIfNeeded: start.raw))
    self.start = start
    self.size = size
  }

  /// The page that starts at `start`, or nil unless that is a multiple of the size.
  @inlinable public init?(validating start: A, size: PageSize = .size4KiB) {
    guard start.isAligned(to: A.Raw(size.byteCount)) else { return nil }
    self.start = start
    self.size = size
  }

  /// The page of `size` that contains `address`.
  @inlinable public init(containing address: A, size: PageSize = .size4KiB) {
    self.start = address.alignedDown(to: A.Raw(size.byteCount))
    self.size = size
  }

  /// The page's bytes.
  @inlinable public var byteCount: A.Raw { A.Raw(size.byteCount) }

  /// The first address past the page; traps for the last page of the address space, whose end is no address.
  @inlinable public var end: A { start + byteCount }

  /// The page as a range; traps for the last page of the address space.
  @inlinable public var range: AddrRange<A> { AddrRange(start: start, byteCount: byteCount) }

  /// Whether `address` lies in the page.
  @inlinable public func contains(_ address: A) -> Bool {
    address.raw & ~(byteCount - 1) == start.raw
  }
}
