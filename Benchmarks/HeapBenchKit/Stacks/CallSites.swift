import AllocationTraces

// The blocks that are live when the program has the most live bytes, by the call stacks that allocated them. The trace is
// read twice: to find the call at which the peak is reached, and to add up what is live there. Memory is bounded by the
// live objects and the call stacks.

/// Who allocated what was live at a trace's peak.
public struct CallSites: Sendable, Encodable {
  /// A call stack that allocated.
  struct Site: Sendable, Encodable {
    /// The functions, the innermost first.
    let functions: [String]
    /// The bytes of its blocks at the peak, and their number; estimates in a trace of samples.
    let liveByteCount: UInt64
    let liveCount: UInt64
    /// All its allocations up to the peak.
    let allocationCount: UInt64
  }

  /// The sites with the most bytes, in that order.
  let sites: [Site]
  /// The live bytes at the peak, of these sites and all others; an estimate in a trace of samples.
  let peakLiveByteCount: UInt64
  /// How many stacks allocated what was live.
  let siteCount: Int
  /// The mean bytes between two samples; 0 where all calls were recorded.
  let sampleByteCount: UInt64

  private struct Sum {
    var byteCount: Double = 0
    var count: Double = 0
    var allocationCount: Double = 0

    mutating func add(_ object: LiveObject) {
      byteCount += object.weightedByteCount
      count += object.weight
      allocationCount += object.weight
    }

    mutating func subtract(_ object: LiveObject) {
      byteCount -= object.weightedByteCount
      count -= object.weight
    }
  }

  /// The sites of a trace; nil for a trace without call stacks.
  ///
  /// - Throws: ``TraceFileError``.
  /// - Complexity: O(*n*) for *n* events.
  public init?(of trace: TraceFile, countMax: Int) throws(TraceFileError) {
    let table = try trace.callStacks()
    guard !table.isEmpty else { return nil }
    let peak = try Self.peak(of: trace)
    var live = LiveObjects()
    var sums: [UInt64: Sum] = [:]
    try trace.forEachEvent(hasColumns: true) { (event, place, values) throws(TraceFileError.Finding) in
      guard live.callCount < peak.callCount else { return false }
      let (ended, begun) = try live.take(event, values, at: place.byteOffsetInFile)
      if let ended { sums[ended.stack, default: Sum()].subtract(ended) }
      if let begun { sums[begun.stack, default: Sum()].add(begun) }
      return true
    }
    let ordered = sums.sorted { ($0.value.byteCount, $1.key) > ($1.value.byteCount, $0.key) }
      .filter { $0.value.byteCount >= 0.5 }
    sites = ordered.prefix(countMax).map { stack, sum in
      Site(
        functions: table.frames(of: stack).map(\.name), liveByteCount: UInt64(sum.byteCount),
        liveCount: UInt64(sum.count.rounded()), allocationCount: UInt64(sum.allocationCount.rounded()))
    }
    peakLiveByteCount = UInt64(peak.byteCount)
    siteCount = ordered.count
    sampleByteCount = trace.sampleByteCount
  }

  /// The call at which the most bytes are live for the first time, counted from 1, and these bytes.
  private static func peak(of trace: TraceFile) throws(TraceFileError) -> (callCount: Int, byteCount: Double) {
    var live = LiveObjects()
    var peak = (callCount: 0, byteCount: 0.0)
    try trace.forEachEvent(hasColumns: true) { (event, place, values) throws(TraceFileError.Finding) in
      _ = try live.take(event, values, at: place.byteOffsetInFile)
      if live.byteCount > peak.byteCount { peak = (live.callCount, live.byteCount) }
      return true
    }
    return peak
  }

  /// A live object.
  private struct LiveObject {
    let byteCount: UInt64
    let stack: UInt64
    let weight: Double

    var weightedByteCount: Double { Double(byteCount) * weight }
  }

  private struct LiveObjects {
    private var objects: [UInt64: LiveObject] = [:]
    private var objectCount: UInt64 = 0
    private(set) var callCount = 0
    private(set) var byteCount = 0.0

    mutating func take(
      _ event: TraceEvent, _ values: TraceColumnValues, at offset: Int
    ) throws(TraceFileError.Finding) -> (ended: LiveObject?, begun: LiveObject?) {
      if event.isCall { callCount += 1 }
      switch event {
      case .allocate(let byteCount), .allocateAligned(let byteCount, _), .allocateZeroed(let byteCount):
        return (nil, begin(byteCount, values))
      case .reallocate(let object, let byteCount):
        let ended = try end(object, at: offset)
        return (ended, begin(byteCount, values))
      case .deallocate(let object): return (try end(object, at: offset), nil)
      case .timePasses, .threadBecomes, .deallocateEarlier, .mark: return (nil, nil)
      }
    }

    private mutating func begin(_ byteCount: UInt64, _ values: TraceColumnValues) -> LiveObject {
      let object = LiveObject(
        byteCount: byteCount, stack: values.stack, weight: Double(values.weightThousandths) / 1000)
      objects[objectCount] = object
      objectCount += 1
      self.byteCount += object.weightedByteCount
      return object
    }

    private mutating func end(_ number: UInt64, at offset: Int) throws(TraceFileError.Finding) -> LiveObject {
      guard let object = objects.removeValue(forKey: number) else {
        throw .endedObject(number: number, byteOffset: offset)
      }
      byteCount -= object.weightedByteCount
      return object
    }
  }
}
