/// An ideal heap that wastes nothing between its blocks: it moves them, at no cost, to lie side by side at all times.
///
/// Each live block takes its bytes rounded up to its alignment, at least to malloc's 16 bytes, and has no header. No
/// allocator that cannot move blocks needs less, so every heap is compared with the oracle's peak.
public struct CompactionOracle: Sendable {
  /// The bytes of the live blocks.
  public private(set) var byteCount: UInt64 = 0

  /// The maximum of ``byteCount`` so far.
  public private(set) var peakByteCount: UInt64 = 0

  /// An oracle without blocks.
  public init() {}

  /// The bytes that one block takes. A block of 0 bytes takes some, since it needs an address of its own.
  public static func byteCount(ofBlock byteCount: UInt64, alignmentLog2: UInt8) -> UInt64 {
    let mask = (UInt64(1) << UInt64(max(alignmentLog2, 4))) - 1
    return (max(byteCount, 1) + mask) & ~mask
  }

  /// Adds a block.
  public mutating func insert(byteCount: UInt64, alignmentLog2: UInt8) {
    self.byteCount += Self.byteCount(ofBlock: byteCount, alignmentLog2: alignmentLog2)
    peakByteCount = max(peakByteCount, self.byteCount)
  }

  /// Removes a block of this size and alignment. Traps when the oracle holds fewer bytes.
  public mutating func remove(byteCount: UInt64, alignmentLog2: UInt8) {
    self.byteCount -= Self.byteCount(ofBlock: byteCount, alignmentLog2: alignmentLog2)
  }
}
