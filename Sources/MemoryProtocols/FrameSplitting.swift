public import Addresses

/// Cuts frames in use into smaller ones and joins them again: what large pages ask of a frame allocator.
public protocol FrameSplitting: ~Copyable {
  /// Makes an allocated frame frames of a smaller size, each with the holders it had and each given back on its own.
  ///
  /// Traps unless a frame of this size is in use there.
  mutating func split(_ frame: Page<PhysAddr>, into size: PageSize)

  /// Makes the allocated frames of `size` that fill `frame` one frame.
  ///
  /// Traps unless all of them are in use, with one holder each.
  mutating func join(_ frame: Page<PhysAddr>, from size: PageSize)
}
