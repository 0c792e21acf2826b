/// Gorman's fragmentation index: would a request fail for lack of memory (towards 0) or because of holes (towards 1)?
///
///     −1                       when a run of S bytes is free: the request succeeds, and the index says nothing
///      0                       when fewer than S bytes are free in all: no compaction could help
///      1 − (1 + free/S) / runs otherwise
///
/// The source is Linux's `fragmentation_index` (mm/vmstat.c; Mel Gorman, 2010). There S is a power of two of pages;
/// here it is any number of bytes.
public enum FragmentationIndex {
  /// The index of a layout for requests of one size; traps when that is 0.
  /// - Complexity: O(1)
  public static func value(of layout: HeapLayout, requestByteCount: UInt64) -> Double {
    precondition(requestByteCount > 0, "a request size must not be 0")
    if layout.largestFreeByteCount >= requestByteCount { return -1 }
    if layout.freeByteCount < requestByteCount { return 0 }
    let requestsHeld = Double(layout.freeByteCount) / Double(requestByteCount)
    return 1 - (1 + requestsHeld) / Double(layout.freeRuns.count)
  }
}
