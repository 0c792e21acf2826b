/// Growth forced by fragmentation: the share of all requests for which largest run < s ≤ total free.
///
/// Such a request makes the heap grow although it has the bytes: they are there, but in pieces. Free memory is what
/// lies in the heap's extent before the request.
public struct ForcedGrowth: Hashable, Sendable {
  /// All requests seen.
  public private(set) var requestCount: UInt64 = 0

  /// Those that fragmentation made the heap grow for.
  public private(set) var forcedCount: UInt64 = 0

  /// No requests yet.
  public init() {}

  /// Counts one request of `byteCount` bytes to a heap that then had these free bytes.
  public mutating func count(byteCount: UInt64, largestFreeByteCount: UInt64, freeByteCount: UInt64) {
    requestCount += 1
    if largestFreeByteCount < byteCount && byteCount <= freeByteCount { forcedCount += 1 }
  }

  /// Counts one request that did not make the heap grow.
  public mutating func countServed() {
    requestCount += 1
  }

  /// The share, 0 to 1; 0 without requests.
  public var share: Double {
    requestCount == 0 ? 0 : Double(forcedCount) / Double(requestCount)
  }
}
