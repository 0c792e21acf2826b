import Foundation

/// The worst case of first fit: M · (1 + log2 n) bytes for M live bytes and sizes that span a factor of n.
///
/// J. M. Robson, Worst case fragmentation of first fit and best fit storage allocation strategies, The Computer
/// Journal 20 (1977): no adversary can drive address-ordered first fit beyond about M · log2 n; best fit's worst case
/// is close to M · n. Reports show the bound beside the measured heap, to compare real programs with the worst case.
public enum RobsonBound {
  /// The bound in bytes; traps unless 0 < smallest ≤ largest.
  public static func byteCount(peakLiveByteCount: UInt64, smallestByteCount: UInt64, largestByteCount: UInt64) -> Double
  {
    precondition(smallestByteCount > 0, "the smallest block must not be empty")
    precondition(smallestByteCount <= largestByteCount, "the smallest block must not be larger than the largest")
    return Double(peakLiveByteCount) * (1 + log2(Double(largestByteCount) / Double(smallestByteCount)))
  }
}
