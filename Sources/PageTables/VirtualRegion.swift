public import Addresses

/// A part of an address space with uniform use and permissions: a kernel's VMA.
@frozen
public struct VirtualRegion: Equatable, Sendable, BitwiseCopyable {
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
    /// Frames of another owner, such as device or shared memory: mapped at once, neither counted nor freed.
    case fixedFrames
  }

  /// The first address; a multiple of 4 KiB.
  public var start: VirtAddr
  /// One past the last address; a multiple of 4 KiB.
  public var end: VirtAddr
  /// The lowest address that the region may grow down to; its start unless it is a stack.
  public var growthLimit: VirtAddr
  /// The permissions of the region; none for guard pages.
  public var permissions: MemPerm
  /// The use of the region.
  public var purpose: Purpose

  @inlinable
  init(
    _ range: AddrRange<VirtAddr>, _ permissions: MemPerm, _ purpose: Purpose, growthLimit: VirtAddr? = nil
  ) {
    self.start = range.start
    self.end = range.end
    self.growthLimit = growthLimit ?? range.start
    self.permissions = permissions
    self.purpose = purpose
  }

  /// The region's addresses.
  @inlinable
  public var range: AddrRange<VirtAddr> { AddrRange(start: start, end: end) }

  /// The region's addresses and those that it may grow into.
  @inlinable
  public var reach: AddrRange<VirtAddr> { AddrRange(start: growthLimit, end: end) }

  /// Whether its pages are private: filled on first touch, counted, and copied on write after a fork.
  @inlinable
  public var isPrivate: Bool { purpose != .fixedFrames && purpose != .guardPages }

  /// The part of the region from `start` up to `end`. Only the lowest part of a stack can grow.
  @inlinable
  func part(from start: VirtAddr, to end: VirtAddr) -> VirtualRegion {
    VirtualRegion(
      AddrRange(start: start, end: end), permissions, purpose, growthLimit: start == self.start ? growthLimit : start)
  }
}
