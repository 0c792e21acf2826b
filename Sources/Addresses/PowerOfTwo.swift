extension FixedWidthInteger {
  /// Whether this is a power of two: 1, 2, 4 and so on. Neither 0 nor a negative number is one.
  ///
  /// - Complexity: O(1).
  @inlinable @inline(__always)
  public var isPowerOfTwo: Bool { self > 0 && self & (self &- 1) == 0 }
}
