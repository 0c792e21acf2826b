public import Addresses

/// Gives out frames of physical memory and takes them back: what page tables take their tables and pages from.
public protocol FrameAllocator: ~Copyable {
  /// A frame of `size` that nobody else holds, or nil when there is none. Its content is undefined.
  mutating func allocate(_ size: PageSize) -> Page<PhysAddr>?

  /// Takes a frame back that ``allocate(_:)`` gave out with this size; anything else is a broken contract and traps.
  mutating func deallocate(_ frame: Page<PhysAddr>)
}
