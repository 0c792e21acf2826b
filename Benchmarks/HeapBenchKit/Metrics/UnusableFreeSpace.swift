/// Linux's unusable free space index: the share of the free bytes that lie in runs too short for a request.
///
///     (free − suitable) / free,   suitable = Σ bᵢ over the free runs with bᵢ ≥ S
///
/// As in Linux (`unusable_free_index`, mm/vmstat.c), the index is 1 when nothing is free.
public enum UnusableFreeSpace {
  /// The index of a layout for requests of one size, 0 to 1; traps when that is 0.
  /// - Complexity: O(n) in the number of free runs.
  public static func value(of layout: HeapLayout, requestByteCount: UInt64) -> Double {
    guard layout.freeByteCount > 0 else { return 1 }
    return Double(byteCount(of: layout, requestByteCount: requestByteCount)) / Double(layout.freeByteCount)
  }

  /// The bytes in free runs that are shorter than a request; traps when that is 0.
  /// - Complexity: O(n) in the number of free runs.
  public static func byteCount(of layout: HeapLayout, requestByteCount: UInt64) -> UInt64 {
    precondition(requestByteCount > 0, "a request size must not be 0")
    return layout.freeRuns.reduce(0) { $1.byteCount < requestByteCount ? $0 + $1.byteCount : $0 }
  }

  /// External fragmentation as the reports show it: the share of the whole heap, 0 to 1, that lies in free runs too
  /// short for a request of this size.
  ///
  /// Unlike the index, it is small for a dense heap whose few free bytes are in pieces.
  /// - Complexity: O(n) in the number of free runs.
  public static func shareOfHeap(_ layout: HeapLayout, requestByteCount: UInt64) -> Double {
    guard layout.extentByteCount > 0 else { return 0 }
    return Double(byteCount(of: layout, requestByteCount: requestByteCount)) / Double(layout.extentByteCount)
  }
}
