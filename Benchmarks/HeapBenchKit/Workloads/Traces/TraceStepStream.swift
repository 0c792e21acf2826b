import AllocationTraces

/// The steps of a trace, one after the other, in bounded memory. A step's object is the slot of a live object, which
/// objects use one after another: see ``ObjectSlots``.
struct TraceStepStream {
  private var slots = ObjectSlots()
  private var objectCount: UInt64 = 0
  private var thread: UInt16 = 0

  /// The threads so far.
  private(set) var threadCount = 1

  /// The slots so far.
  var slotCount: Int { slots.slotCount }

  /// The step of an event; nil for an event that is none.
  mutating func step(of event: TraceEvent, at offset: Int) throws(TraceFileError.Finding) -> WorkloadStep? {
    switch event {
    case .allocate(let byteCount): return try allocate(.allocate, byteCount, 0, at: offset)
    case .allocateAligned(let byteCount, let log2): return try allocate(.allocate, byteCount, log2, at: offset)
    case .allocateZeroed(let byteCount): return try allocate(.allocateZeroed, byteCount, 0, at: offset)
    case .reallocate(let object, let byteCount):
      let slot = try end(object, at: offset)
      slots.insert(objectCount, slot: slot)
      objectCount += 1
      return WorkloadStep(.reallocate, object: slot, amount: byteCount, thread: thread)
    case .deallocate(let object):
      let slot = try end(object, at: offset)
      slots.release(slot)
      return WorkloadStep(.deallocate, object: slot, thread: thread)
    case .timePasses(let microseconds): return WorkloadStep(.pause, amount: microseconds, thread: thread)
    case .threadBecomes(let number):
      guard number <= UInt64(threadCount), number <= UInt64(UInt16.max) else {
        throw .threadOutOfOrder(number: number, threadCount: UInt64(threadCount), byteOffset: offset)
      }
      threadCount = max(threadCount, Int(number) + 1)
      thread = UInt16(number)
      return nil
    case .deallocateEarlier, .mark: return nil
    }
  }

  private mutating func allocate(
    _ kind: WorkloadStep.Kind, _ byteCount: UInt64, _ alignmentLog2: UInt8, at offset: Int
  ) throws(TraceFileError.Finding) -> WorkloadStep {
    guard let slot = slots.insert(objectCount) else { throw .tooManyObjects(byteOffset: offset) }
    objectCount += 1
    return WorkloadStep(kind, object: slot, amount: byteCount, alignmentLog2: alignmentLog2, thread: thread)
  }

  private mutating func end(_ object: UInt64, at offset: Int) throws(TraceFileError.Finding) -> UInt32 {
    guard let slot = slots.remove(object) else { throw .endedObject(number: object, byteOffset: offset) }
    return slot
  }
}

extension TraceFile {
  /// Passes every step to `body`, until that says false.
  ///
  /// - Throws: As ``forEachEvent(_:)``.
  /// - Complexity: O(*n*) for *n* events; memory for the live objects.
  func forEachStep(_ body: (WorkloadStep) -> Bool) throws(TraceFileError) {
    var stream = TraceStepStream()
    try forEachEvent { (event, place) throws(TraceFileError.Finding) in
      guard let step = try stream.step(of: event, at: place.byteOffsetInFile) else { return true }
      return body(step)
    }
  }
}
