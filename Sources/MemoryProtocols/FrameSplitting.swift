public import Addresses

/// Splits frames in use into smaller ones and joins them again: what large pages need from a frame allocator.
public protocol FrameSplitting: ~Copyable {
  /// Splits an allocated frame into frames of a smaller size. Each keeps the holder count and is deallocated on its
  /// own.
  ///
  /// Traps unless `frame` is in use with this size.
  mutating func split(_ frame: Page<PhysAddr>, into size: PageSize)

  /// Joins the allocated frames of `size` that fill `frame` into one frame.
  ///
  /// Traps unless all of them are in use with one holder each.
  mutating func join(_ frame: Page<PhysAddr>, from size: PageSize)
}
