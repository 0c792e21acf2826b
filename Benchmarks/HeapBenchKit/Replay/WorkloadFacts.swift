/// What is known of a workload before any heap has seen it.
public struct WorkloadFacts: Hashable, Sendable, Codable {
  /// How many threads take the steps.
  public var threadCount = 1
  /// How many objects the steps allocate.
  public var objectCount = 0
  /// All steps.
  public var stepCount = 0
  /// The steps that ask something of the allocator: all but the pauses.
  public var operationCount = 0
  /// The most bytes live at once, as asked for.
  public var peakLiveByteCount: UInt64 = 0
  /// The position of the step that first reached that peak.
  public var peakLivePosition = 0
  /// The most bytes the compaction oracle held.
  public var oraclePeakByteCount: UInt64 = 0
  /// The smallest request, in bytes; a request of 0 counts as 1.
  public var smallestRequestByteCount: UInt64 = 1
  /// The largest request, in bytes.
  public var largestRequestByteCount: UInt64 = 1
  /// The size that 99 of 100 requests do not exceed, at least 16 bytes: S where a figure is shown for one size.
  public var referenceRequestByteCount: UInt64 = 16
  /// The bytes live at `residencySampleCount` evenly spaced positions, see ``residencyInterval``.
  public var liveByteCounts: [UInt64] = []

  /// How many evenly spaced moments residency is measured at.
  static let residencySampleCount = 64

  /// The number of steps between two of them.
  var residencyInterval: Int { max(1, stepCount / Self.residencySampleCount) }
}
