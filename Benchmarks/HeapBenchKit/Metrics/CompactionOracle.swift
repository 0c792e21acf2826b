/// The heap that wastes nothing between its blocks: it moves them, at no cost, so that they always lie side by side.
///
/// Each live block takes its bytes rounded up to its alignment, at least to malloc's 16 bytes, and no header. No
/// allocator that must not move blocks can need less, so the oracle's peak is what every heap is held against.
public struct CompactionOracle: Sendable {
  /// The bytes that the live blocks take now.
  public private(set) var byteCount: UInt64 = 0

  /// The most they ever took.
  public private(set) var peakByteCount: UInt64 = 0

  /// An oracle without blocks.
  public init() {}

  /// What one block takes; a block of 0 bytes still needs an address of its own.
  public static func byteCount(ofBlock byteCount: UInt64, alignmentLog2: UInt8) -> UInt64 {
    let mask = (UInt64(1) << UInt64(max(alignmentLog2, 4))) - 1
    return (max(byteCount, 1) + mask) & ~mask
  }

  /// A block appears.
  public mutating func insert(byteCount: UInt64, alignmentLog2: UInt8) {
    self.byteCount += Self.byteCount(ofBlock: byteCount, alignmentLog2: alignmentLog2)
    peakByteCount = max(peakByteCount, self.byteCount)
  }

  /// A block of this size and alignment disappears; traps when there can be none.
  public mutating func remove(byteCount: UInt64, alignmentLog2: UInt8) {
    self.byteCount -= Self.byteCount(ofBlock: byteCount, alignmentLog2: alignmentLog2)
  }
}
