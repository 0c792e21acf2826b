public import Addresses

/// Allocates and deallocates frames of physical memory. Page tables take their tables and pages from one.
public protocol FrameAllocator: ~Copyable {
  /// A frame of `size` that nobody else holds, or nil when there is none. Its content is undefined.
  mutating func allocate(_ size: PageSize) -> Page<PhysAddr>?

  /// Deallocates a frame that ``allocate(_:)`` returned for the same size; traps on any other.
  mutating func deallocate(_ frame: Page<PhysAddr>)
}
