import Addresses

/// One contiguous piece of the memory of a ``SparseFrames``, with a frame table of its own.
struct FrameBank: ~Copyable {
  var frames: BuddyFrames
  /// Where the frame table lies.
  let table: AddrRange<VirtAddr>

  /// The bank is recorded in the sets of barren banks for this order and all above, 1 to 18; 19 when it is in none.
  private(set) var barrenOrder = FrameBank.notBarren

  /// At so many free frames, something recorded about the bank may no longer hold: 1 when it is recorded as full, 2^k
  /// when it is recorded as barren from order k on. 2^63 when nothing is recorded.
  private(set) var wakeFrameCount = FrameBank.never

  /// One more than the largest order.
  static var notBarren: UInt8 { 19 }

  private static var never: UInt64 { 1 << 63 }

  init(_ frames: consuming BuddyFrames, table: AddrRange<VirtAddr>) {
    self.frames = frames
    self.table = table
  }

  /// Records that the bank is full.
  mutating func sleep() { wakeFrameCount = 1 }

  /// Records that the bank is not full.
  mutating func wake() {
    wakeFrameCount = barrenOrder == FrameBank.notBarren ? FrameBank.never : 1 << UInt64(barrenOrder)
  }

  /// Records that the bank has no free block of `order`, nor of any above; 19 for nothing.
  mutating func setBarren(from order: UInt8) {
    barrenOrder = order
    if wakeFrameCount != 1 { wake() }
  }
}
