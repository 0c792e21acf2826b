/// F(S): the share of requests of size S that would fit if the free memory were in one piece, but do not fit.
///
///     F(S) = 1 − N(S) / N*(S),   N(S) = Σ ⌊bᵢ / S⌋ over the free runs bᵢ,   N*(S) = ⌊Σ bᵢ / S⌋
///
/// 0 means that the holes cost nothing at this size; 1 means that no request fits although the bytes are free. As a
/// curve over S it shows at which sizes a heap is fragmented, which no single ratio can. Where not even the sum holds
/// one request, N* = 0 and nothing is lost: F = 0.
public enum FragmentationCurve {
  /// F at one request size; traps when that is 0.
  /// - Complexity: O(n) in the number of free runs.
  public static func value(of layout: HeapLayout, requestByteCount: UInt64) -> Double {
    precondition(requestByteCount > 0, "a request size must not be 0")
    let ideal = layout.freeByteCount / requestByteCount
    guard ideal > 0 else { return 0 }
    let actual = layout.freeRuns.reduce(0) { $0 + $1.byteCount / requestByteCount }
    return 1 - Double(actual) / Double(ideal)
  }

  /// The request sizes at which reports show the curve: powers of two from 16 bytes to 4 MiB.
  public static let requestByteCounts: [UInt64] = (4...22).map { 1 << $0 }
}
