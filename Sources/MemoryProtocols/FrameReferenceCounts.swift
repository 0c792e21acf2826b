public import Addresses

/// Counts the holders of each frame, for copy-on-write.
///
/// A newly allocated frame has one holder. Each further mapping of it retains it, each mapping that goes away releases
/// it, and the last release deallocates it. A holder that finds a count of 1 owns the frame alone and may write it in
/// place. A frame is named by the page that was allocated, whatever its size: a 2 MiB frame has one count, not 512.
public protocol FrameReferenceCounts: ~Copyable {
  /// How many holders the frame has: 1 after its allocation. Traps unless the frame is in use.
  func referenceCount(of frame: Page<PhysAddr>) -> UInt32

  /// Adds a holder. Traps unless the frame is in use, and when the count would overflow.
  mutating func retain(_ frame: Page<PhysAddr>)

  /// Adds a holder to each frame that `frame` returns for the numbers below `count`, in any order; nil is skipped.
  ///
  /// Equivalent to `count` single calls, but an allocator can hoist shared work out of the loop: a fork does this for
  /// every page. Traps as ``retain(_:)`` does.
  mutating func retain(_ count: Int, _ frame: (Int) -> Page<PhysAddr>?)

  /// Removes a holder. True when it was the last one; the frame is then deallocated.
  ///
  /// Traps unless the frame is in use.
  mutating func release(_ frame: Page<PhysAddr>) -> Bool
}

extension FrameReferenceCounts where Self: ~Copyable {
  /// Adds a holder to each frame, one after the other.
  @inlinable public mutating func retain(_ count: Int, _ frame: (Int) -> Page<PhysAddr>?) {
    for index in 0..<count {
      if let frame = frame(index) { retain(frame) }
    }
  }
}
