public import Addresses

/// A part of an address space with uniform use and permissions: a kernel's VMA.
@frozen
public struct VirtualRegion: Equatable, Sendable, RegionRecord {
  /// The use of a region, which decides where its pages come from.
  @frozen
  public enum Purpose: UInt8, Sendable {
    /// A program's instructions. Pages are filled with zeros on first touch, unless they were mapped before.
    case code
    /// A program's data; filled with zeros on first touch.
    case data
    /// Memory that a program asked for; filled with zeros on first touch.
    case heap
    /// A stack: when touched below its start it grows downwards, to its growth limit.
    case stack
    /// Guard pages: every access is refused.
    case guardPages
    /// Frames of another owner, such as device memory: mapped at once, neither counted nor freed.
    case fixedFrames
  }

  /// The first address; a multiple of 4 KiB.
  public var start: VirtAddr
  /// The last address; one below a multiple of 4 KiB.
  public var last: VirtAddr
  /// The lowest address that the region may grow down to; its start unless it is a stack.
  public var growthLimit: VirtAddr
  /// The permissions of the region; none for guard pages.
  public var permissions: MemPerm
  /// The use of the region.
  public var purpose: Purpose
  /// Whether a write changes the memory object itself, and not a copy of the page.
  public var isShared = false
  /// How the processor caches its pages: as normal memory, unless they are fixed frames.
  public var memoryType = MemoryType.normal
  /// The memory object whose pages the region shows; ``MemoryObject/none`` for pages of zeros.
  public var object = MemoryObject.none
  /// The byte of the object at the region's start, a multiple of 4 KiB; 0 without an object.
  public var objectOffset: UInt64 = 0

  /// A region over a range that is not empty.
  @inlinable
  init(_ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ purpose: Purpose, growthLimit: VirtAddr? = nil) {
    self.start = range.start
    self.last = range.last
    self.growthLimit = growthLimit ?? range.start
    self.permissions = permissions
    self.purpose = purpose
  }

  /// One past the last address; traps when the region ends with the address space.
  @inlinable
  public var end: VirtAddr { range.end }

  /// The region's addresses.
  @inlinable
  public var range: AddrRange<VirtAddr> { AddrRange(start: start, through: last) }

  /// The region's addresses and those that it may grow into.
  @inlinable
  public var reach: AddrRange<VirtAddr> { AddrRange(start: growthLimit, through: last) }

  /// The lowest address that the region keeps others out of.
  @inlinable
  public var lowest: VirtAddr { growthLimit }

  /// Whether its pages are private: counted, and copied on write after a fork.
  @inlinable
  public var isPrivate: Bool { isCounted && !isShared }

  /// Whether the space holds the frames of its pages, alone or with others.
  @inlinable
  public var isCounted: Bool { purpose != .fixedFrames && purpose != .guardPages }

  /// Whether its pages are private and filled with zeros on first touch.
  @inlinable
  public var isAnonymous: Bool { isPrivate && object == .none }

  /// The byte of the object at an address of the region.
  @inlinable
  public func objectOffset(at address: VirtAddr) -> UInt64 { objectOffset + UInt64(address.raw - start.raw) }

  /// The part of the region from `start` through `last`. Only the lowest part of a stack can grow.
  @inlinable
  func part(from start: VirtAddr, through last: VirtAddr) -> VirtualRegion {
    var part = self
    part.start = start
    part.last = last
    part.growthLimit = start == self.start ? growthLimit : start
    if object != .none { part.objectOffset = objectOffset(at: start) }
    return part
  }

  /// The part of the region in a range, nil when there is none.
  @inlinable
  func part(in range: AddrRange<VirtAddr>) -> VirtualRegion? {
    guard let common = self.range.intersection(range) else { return nil }
    return part(from: common.start, through: common.last)
  }

  /// The region that this one and the next higher one make together; nil unless they touch and are alike in all else.
  @inlinable
  func joined(with next: VirtualRegion) -> VirtualRegion? {
    guard last.raw != .max, last + 1 == next.start else { return nil }
    var whole = self
    whole.last = next.last
    return whole.part(from: next.start, through: next.last) == next ? whole : nil
  }
}
