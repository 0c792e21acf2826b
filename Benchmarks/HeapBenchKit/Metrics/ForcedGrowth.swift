/// Growth forced by fragmentation: the share of all requests that made the heap grow although enough bytes were free.
///
/// The definition is largest run < s ≤ total free. When a policy grows its heap, it has found no run that is long
/// enough, alignment and rounding included. Only s ≤ total free remains to be checked. Free bytes are those in the
/// heap's extent before the request.
public struct ForcedGrowth: Hashable, Sendable {
  /// The number of requests.
  public private(set) var requestCount: UInt64 = 0

  /// The number of requests for which fragmentation made the heap grow.
  public private(set) var forcedCount: UInt64 = 0

  /// No requests yet.
  public init() {}

  /// Counts one request that did not make the heap grow.
  public mutating func countServed() {
    requestCount += 1
  }

  /// Counts one request of `byteCount` bytes that made the heap grow while it had `freeByteCount` free bytes.
  public mutating func countGrowth(byteCount: UInt64, freeByteCount: UInt64) {
    requestCount += 1
    if byteCount <= freeByteCount { forcedCount += 1 }
  }

  /// The share of forced requests, 0 to 1; 0 without requests.
  public var share: Double {
    requestCount == 0 ? 0 : Double(forcedCount) / Double(requestCount)
  }
}
