public import Addresses
public import MemoryProtocols

extension SparseFrames: FrameReferenceCounts {
  /// How many holders the frame has: 1 after its allocation. Traps unless it was allocated with this size.
  public func referenceCount(of frame: Page<PhysAddr>) -> UInt32 {
    // SAFETY: the bank exists.
    unsafe list.bank(at: bank(of: frame.start)).pointee.frames.referenceCount(of: frame)
  }

  /// Adds a holder. Traps unless the frame was allocated with this size, and past 2^32 - 1 holders.
  public mutating func retain(_ frame: Page<PhysAddr>) {
    // SAFETY: the bank exists, and nobody else uses it.
    unsafe list.bank(at: bank(of: frame.start)).pointee.frames.retain(frame)
  }

  /// Removes a holder. True when it was the last one; the frame is then free.
  public mutating func release(_ frame: Page<PhysAddr>) -> Bool {
    let bank = bank(of: frame.start)
    // SAFETY: the bank exists, and nobody else uses it.
    guard unsafe list.bank(at: bank).pointee.frames.release(frame) else { return false }
    countDeallocation(frame.size.order, in: bank)
    return true
  }
}

extension SparseFrames: FrameSplitting {
  /// Splits an allocated frame into frames of a smaller size, each with the same holders.
  public mutating func split(_ frame: Page<PhysAddr>, into size: PageSize) {
    // SAFETY: the bank exists, and nobody else uses it.
    unsafe list.bank(at: bank(of: frame.start)).pointee.frames.split(frame, into: size)
  }

  /// Joins the allocated frames of `size` that fill `frame`, each with one holder, into one frame.
  public mutating func join(_ frame: Page<PhysAddr>, from size: PageSize) {
    // SAFETY: the bank exists, and nobody else uses it.
    unsafe list.bank(at: bank(of: frame.start)).pointee.frames.join(frame, from: size)
  }
}
