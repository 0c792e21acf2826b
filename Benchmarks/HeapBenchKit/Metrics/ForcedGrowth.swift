/// Growth forced by fragmentation: the share of all requests that made the heap grow although it had the bytes.
///
/// The definition is largest run < s ≤ total free. That a policy grew its heap is its own verdict that no run it
/// could use was long enough, alignment and rounding included, so what is left to ask is whether s ≤ total free.
/// Free bytes are those in the heap's extent before the request.
public struct ForcedGrowth: Hashable, Sendable {
  /// All requests seen.
  public private(set) var requestCount: UInt64 = 0

  /// Those that fragmentation made the heap grow for.
  public private(set) var forcedCount: UInt64 = 0

  /// No requests yet.
  public init() {}

  /// Counts one request that did not make the heap grow.
  public mutating func countServed() {
    requestCount += 1
  }

  /// Counts one request of `byteCount` bytes that made a heap with so many free bytes grow.
  public mutating func countGrowth(byteCount: UInt64, freeByteCount: UInt64) {
    requestCount += 1
    if byteCount <= freeByteCount { forcedCount += 1 }
  }

  /// The share, 0 to 1; 0 without requests.
  public var share: Double {
    requestCount == 0 ? 0 : Double(forcedCount) / Double(requestCount)
  }
}
