/// MWF(W, S), the minimum window fill: the share of a window of W bytes that requests of S bytes could use, where the
/// heap is densest.
///
/// The heap's extent is cut into windows of W bytes. A partial window at the end is left out, unless it is the only
/// one. The fill of a window is Σ ⌊bᵢ / S⌋ · S / W over the free runs bᵢ clipped to the window. One dense window often
/// makes the minimum 0. The 1st and 5th percentiles tell a dense heap from a dense corner. They are by nearest rank:
/// the smallest fill that at least that share of the windows does not exceed.
public struct WindowFill: Hashable, Sendable, Codable {
  /// W, the size of a window.
  public let windowByteCount: UInt64
  /// S, the size of a request.
  public let requestByteCount: UInt64
  /// The least fill of all windows, 0 to 1.
  public let minimum: Double
  /// The 1st percentile of the windows' fills.
  public let percentile1: Double
  /// The 5th percentile of the windows' fills.
  public let percentile5: Double

  /// Measures a layout. Traps when a size is 0 or a request is larger than the window.
  /// - Complexity: O(n + w log w) for n free runs and w windows.
  public init(of layout: HeapLayout, windowByteCount: UInt64, requestByteCount: UInt64) {
    let fills = Self.fills(of: layout, windowByteCount: windowByteCount, requestByteCount: requestByteCount).sorted()
    self.windowByteCount = windowByteCount
    self.requestByteCount = requestByteCount
    minimum = fills[0]
    percentile1 = fills[Self.nearestRank(percent: 1, of: fills.count)]
    percentile5 = fills[Self.nearestRank(percent: 5, of: fills.count)]
  }

  /// The fill of every window, in address order; one fill of 0 for a heap of no bytes.
  static func fills(of layout: HeapLayout, windowByteCount: UInt64, requestByteCount: UInt64) -> [Double] {
    precondition(requestByteCount > 0, "a request size must not be 0")
    precondition(requestByteCount <= windowByteCount, "a request must not be larger than the window")
    let windowCount = max(1, Int(layout.extentByteCount / windowByteCount))
    var usable = [UInt64](repeating: 0, count: windowCount)
    for run in layout.freeRuns {
      var start = run.offset
      let end = run.offset + run.byteCount
      while start < end {
        let window = Int(start / windowByteCount)
        guard window < windowCount else { break }
        let clippedEnd = min(end, UInt64(window + 1) * windowByteCount)
        usable[window] += (clippedEnd - start) / requestByteCount * requestByteCount
        start = clippedEnd
      }
    }
    return usable.map { Double($0) / Double(windowByteCount) }
  }

  /// The index of the nearest-rank percentile among `count` sorted values.
  private static func nearestRank(percent: Int, of count: Int) -> Int {
    max(1, (count * percent + 99) / 100) - 1
  }
}
