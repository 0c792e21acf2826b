extension [Double] {
  /// The middle of the sorted numbers, or the mean of the two middle ones; nil when there are none.
  ///
  /// - Complexity: O(n log n) for n numbers.
  var median: Double? {
    guard !isEmpty else { return nil }
    let ordered = sorted()
    return (ordered[(count - 1) / 2] + ordered[count / 2]) / 2
  }
}

extension [UInt64] {
  /// The middle of the sorted numbers, or the lower of the two middle ones; nil when there are none.
  ///
  /// - Complexity: O(n log n) for n numbers.
  var median: UInt64? {
    isEmpty ? nil : sorted()[(count - 1) / 2]
  }
}
