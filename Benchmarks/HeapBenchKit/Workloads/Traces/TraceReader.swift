import AllocationTraces

// From the events of a trace to the steps of a workload.
//
// They differ in one point: in a trace, a reallocation ends one object and makes another; in a workload, the object
// keeps its number. For each object of the trace, the reader keeps the workload's number, or a mark that the object has
// ended. An event that names an ended object is an error.
//
//   n(trace objects) = n(workload objects) + n(reallocations)

/// Builds the steps of a workload from the events of a trace, and counts the events.
struct TraceReader {
  /// The steps so far.
  private(set) var steps: ContiguousArray<WorkloadStep> = []

  /// The counts of the events so far.
  private(set) var counts = TraceCounts()

  /// The number of the workload's objects so far.
  var objectCount: Int { byteCounts.count }

  /// The workload's object for each object of the trace; `ended` when the object has ended.
  private var objects: ContiguousArray<UInt32> = []
  /// The bytes of each object of the workload.
  private var byteCounts: ContiguousArray<UInt64> = []
  private var thread: UInt16 = 0

  private static let ended = UInt32.max

  /// A reader for about `eventCount` events. The number comes from a file and is not trusted.
  init(eventCount: UInt64) {
    let expected = Int(min(eventCount, 1 << 24))
    steps.reserveCapacity(expected)
    objects.reserveCapacity(expected)
    byteCounts.reserveCapacity(expected)
  }

  /// Takes one event, whose place in the file is `offset`.
  mutating func take(_ event: TraceEvent, at offset: Int) throws(TraceFileError.Finding) {
    switch event {
    case .allocate(let byteCount):
      counts.allocate += 1
      try begin(.allocate, byteCount, at: offset)
    case .allocateAligned(let byteCount, let alignmentLog2):
      counts.aligned += 1
      try begin(.allocate, byteCount, alignmentLog2: alignmentLog2, at: offset)
    case .allocateZeroed(let byteCount):
      counts.zeroed += 1
      try begin(.allocateZeroed, byteCount, at: offset)
    case .reallocate(let traceObject, let byteCount):
      counts.reallocate += 1
      let object = try end(traceObject, at: offset)
      objects.append(object)
      counts.bytesEnd(byteCounts[Int(object)])
      try counts.bytesBegin(byteCount, at: offset)
      byteCounts[Int(object)] = byteCount
      steps.append(WorkloadStep(.reallocate, object: object, amount: byteCount, thread: thread))
    case .deallocate(let traceObject):
      counts.free += 1
      let object = try end(traceObject, at: offset)
      counts.bytesEnd(byteCounts[Int(object)])
      steps.append(WorkloadStep(.deallocate, object: object, thread: thread))
    case .timePasses(let microseconds):
      steps.append(WorkloadStep(.pause, amount: microseconds, thread: thread))
    case .threadBecomes(let number):
      // Threads are numbered in the order of their appearance; a gap means that the trace is damaged.
      guard number <= counts.threads, number <= UInt64(UInt16.max) else {
        throw .threadOutOfOrder(number: number, threadCount: counts.threads, byteOffset: offset)
      }
      counts.threads = max(counts.threads, number + 1)
      thread = UInt16(number)
    case .deallocateEarlier, .mark:
      // No workload has blocks from before its start, and marks are for people.
      break
    }
  }

  private mutating func begin(
    _ kind: WorkloadStep.Kind, _ byteCount: UInt64, alignmentLog2: UInt8 = 0, at offset: Int
  ) throws(TraceFileError.Finding) {
    let object = UInt32(truncatingIfNeeded: byteCounts.count)
    // A workload numbers its objects with 32 bits, and one number marks ended objects.
    guard object != Self.ended else { throw .tooManyObjects(byteOffset: offset) }
    try counts.bytesBegin(byteCount, at: offset)
    objects.append(object)
    byteCounts.append(byteCount)
    steps.append(
      WorkloadStep(kind, object: object, amount: byteCount, alignmentLog2: alignmentLog2, thread: thread))
  }

  /// Marks an object of the trace as ended, and returns its number in the workload.
  private mutating func end(_ traceObject: UInt64, at offset: Int) throws(TraceFileError.Finding) -> UInt32 {
    let object = objects[Int(traceObject)]
    guard object != Self.ended else { throw .endedObject(number: traceObject, byteOffset: offset) }
    objects[Int(traceObject)] = Self.ended
    return object
  }
}
