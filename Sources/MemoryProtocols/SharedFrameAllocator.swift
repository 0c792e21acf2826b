public import Addresses

/// Allocates and deallocates blocks of frames for several processors at once: it locks for itself.
///
/// A ``FrameAllocator`` has one user at a time and knows frames of a page's size. Slab caches need blocks of any order,
/// from wherever an object happens to be allocated.
public protocol SharedFrameAllocator: ~Copyable {
  /// A block of 2^`order` frames that nobody else holds, at a multiple of its size, or nil when there is none. Its
  /// content is undefined.
  func allocate(_ order: FrameOrder) -> PhysAddr?

  /// Deallocates a block that ``allocate(_:)`` returned for the same order; traps on any other.
  func deallocate(_ address: PhysAddr, order: FrameOrder)
}
