/// What is known about a workload without any heap.
public struct WorkloadFacts: Hashable, Sendable, Codable {
  /// The number of threads that take the steps.
  public var threadCount = 1
  /// The number of objects that the steps allocate.
  public var objectCount = 0
  /// The number of all steps.
  public var stepCount = 0
  /// The number of steps that call the allocator: all but the pauses.
  public var operationCount = 0
  /// The most requested bytes live at once.
  public var peakLiveByteCount: UInt64 = 0
  /// The position of the step that first reached that peak.
  public var peakLivePosition = 0
  /// The most bytes that the compaction oracle held.
  public var oraclePeakByteCount: UInt64 = 0
  /// The smallest request, in bytes; a request of 0 counts as 1.
  public var smallestRequestByteCount: UInt64 = 1
  /// The largest request, in bytes.
  public var largestRequestByteCount: UInt64 = 1
  /// The size that 99 of 100 requests do not exceed, and at least 16 bytes: the request size S of figures for one size.
  public var referenceRequestByteCount: UInt64 = 16
  /// The live bytes at evenly spaced positions, one in each ``residencyInterval``.
  public var liveByteCounts: [UInt64] = []

  /// The approximate number of evenly spaced moments at which residency is measured.
  static let residencySampleCount = 64

  /// The number of steps between two such moments.
  var residencyInterval: Int { max(1, stepCount / Self.residencySampleCount) }
}
