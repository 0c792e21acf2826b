public import Addresses

/// Counts how many holders share a frame: what copy-on-write needs.
///
/// A frame has one holder when it is allocated. Each mapping that comes to share it retains it, each that goes
/// releases it, and the last release gives the frame back to its allocator. A holder that finds the count at 1
/// owns the frame alone and may write it in place. The frame is named by the page that was allocated, of whatever
/// size: a 2 MiB frame has one count, not 512.
public protocol FrameReferenceCounts: ~Copyable {
  /// How many holders the frame has: 1 after its allocation. Traps unless the frame is in use.
  func referenceCount(of frame: Page<PhysAddr>) -> UInt32

  /// Adds a holder. Traps unless the frame is in use, and when the count would overflow.
  mutating func retain(_ frame: Page<PhysAddr>)

  /// Adds a holder to each frame that `frame` names for the numbers below `count`, in any order; nil is passed over.
  ///
  /// The same as so many calls, but an allocator can keep what they have in common out of the loop: a fork does this
  /// for every page. Traps as ``retain(_:)`` does.
  mutating func retain(_ count: Int, _ frame: (Int) -> Page<PhysAddr>?)

  /// Takes a holder away; true when that was the last one, and the frame is deallocated then.
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
