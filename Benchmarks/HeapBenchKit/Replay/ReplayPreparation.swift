/// The walk over a workload's steps.
struct ReplayPreparation {
  private struct Object {
    var amount: UInt64 = 0
    var turn: UInt32 = 0
    var alignmentLog2: UInt8 = 0
    var isLive = false
  }

  private var facts = WorkloadFacts()
  private var objects: ContiguousArray<Object>
  private var oracle = CompactionOracle()
  private var liveByteCount: UInt64 = 0
  private var requestCounts: [UInt64: Int] = [:]

  /// Whether the numbers of threads, objects and steps were not known at the start.
  private let isStreaming: Bool

  /// A walk over a workload of these numbers.
  init(threadCount: Int, objectCount: Int, stepCount: Int) {
    objects = ContiguousArray(repeating: Object(), count: objectCount)
    facts.threadCount = threadCount
    facts.objectCount = objectCount
    facts.stepCount = stepCount
    isStreaming = false
  }

  /// A walk over steps whose number nobody knows yet.
  init() {
    objects = []
    isStreaming = true
  }

  /// Prepares a step, and takes it on the ideal heap.
  mutating func prepare(_ step: WorkloadStep, at position: Int) -> ReplayStep {
    if isStreaming { makeRoom(for: step) }
    precondition(Int(step.thread) < facts.threadCount, "step \(position) names a thread that is none")
    var ready = ReplayStep(
      amount: step.amount, previousAmount: 0, object: step.object, turn: 0,
      position: UInt32(truncatingIfNeeded: position),
      thread: step.thread, kind: step.kind, alignmentLog2: step.alignmentLog2)
    if step.kind != .pause {
      facts.operationCount += 1
      var object = objects[Int(step.object)]
      let isAllocation = step.kind == .allocate || step.kind == .allocateZeroed
      precondition(object.isLive != isAllocation, "step \(position) breaks its object's order")
      ready.previousAmount = object.amount
      ready.turn = object.turn
      object.turn &+= 1
      if object.isLive {
        liveByteCount -= object.amount
        oracle.remove(byteCount: object.amount, alignmentLog2: object.alignmentLog2)
      }
      object.isLive = step.kind != .deallocate
      if object.isLive {
        object.amount = step.amount
        object.alignmentLog2 = step.alignmentLog2
        request(step, at: position)
      }
      objects[Int(step.object)] = object
    }
    if !isStreaming, position % facts.residencyInterval == 0 { facts.liveByteCounts.append(liveByteCount) }
    return ready
  }

  private mutating func makeRoom(for step: WorkloadStep) {
    facts.stepCount += 1
    facts.threadCount = max(facts.threadCount, Int(step.thread) + 1)
    if step.kind != .pause, Int(step.object) >= objects.count {
      objects.append(Object())
      facts.objectCount = objects.count
    }
  }

  private mutating func request(_ step: WorkloadStep, at position: Int) {
    liveByteCount += step.amount
    oracle.insert(byteCount: step.amount, alignmentLog2: step.alignmentLog2)
    requestCounts[step.amount, default: 0] += 1
    if liveByteCount > facts.peakLiveByteCount {
      facts.peakLiveByteCount = liveByteCount
      facts.peakLivePosition = position
    }
  }

  mutating func finish() -> WorkloadFacts {
    facts.oraclePeakByteCount = oracle.peakByteCount
    let sizes = requestCounts.sorted { $0.key < $1.key }
    facts.smallestRequestByteCount = max(1, sizes.first?.key ?? 1)
    facts.largestRequestByteCount = max(1, sizes.last?.key ?? 1)
    let rank = (sizes.reduce(0) { $0 + $1.value } * 99 + 99) / 100
    var seen = 0
    for (size, count) in sizes {
      seen += count
      if seen >= rank {
        facts.referenceRequestByteCount = max(16, size)
        break
      }
    }
    return facts
  }
}
