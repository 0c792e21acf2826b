/// A workload prepared for replay: its facts, and its steps in memory that child processes can map.
///
/// The preparation walks the steps once in global order, with an ideal heap. It writes into each step what the step's
/// thread cannot know by itself: the object's previous size, and the number of earlier steps with the object.
public struct ReplayPlan: Sendable {
  /// The workload's name.
  public let name: String
  /// One sentence on whose behaviour this is.
  public let summary: String
  /// The facts about the workload.
  public let facts: WorkloadFacts

  let steps: SharedSteps

  /// Prepares a workload. Traps when its steps break the promises of ``Workload``.
  public init(_ workload: Workload) throws(MeasurementFailure) {
    name = workload.name
    summary = workload.summary
    steps = try SharedSteps(count: workload.steps.count)
    var preparation = Preparation(workload)
    for (position, step) in workload.steps.enumerated() {
      steps[position] = preparation.prepare(step, at: position)
    }
    facts = preparation.finish()
  }

  /// The plan that another process prepared, over the steps that it shares.
  init(name: String, facts: WorkloadFacts, sharedAt path: String) throws(MeasurementFailure) {
    self.name = name
    summary = ""
    self.facts = facts
    steps = try SharedSteps(mapping: path, count: facts.stepCount)
  }
}

/// The walk over a workload's steps.
private struct Preparation {
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

  init(_ workload: Workload) {
    objects = ContiguousArray(repeating: Object(), count: workload.objectCount)
    facts.threadCount = workload.threadCount
    facts.objectCount = workload.objectCount
    facts.stepCount = workload.steps.count
  }

  /// Prepares a step, and takes it on the ideal heap.
  mutating func prepare(_ step: WorkloadStep, at position: Int) -> ReplayStep {
    precondition(Int(step.thread) < facts.threadCount, "step \(position) names a thread that is none")
    var ready = ReplayStep(
      amount: step.amount, previousAmount: 0, object: step.object, turn: 0, position: UInt32(position),
      thread: step.thread, kind: step.kind, alignmentLog2: step.alignmentLog2)
    if step.kind != .pause {
      facts.operationCount += 1
      var object = objects[Int(step.object)]
      let isAllocation = step.kind == .allocate || step.kind == .allocateZeroed
      precondition(object.isLive != isAllocation, "step \(position) breaks its object's order")
      ready.previousAmount = object.amount
      ready.turn = object.turn
      object.turn += 1
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
    if position % facts.residencyInterval == 0 { facts.liveByteCounts.append(liveByteCount) }
    return ready
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
