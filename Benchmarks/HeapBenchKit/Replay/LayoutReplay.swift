import Addresses
import MemoryProtocols

// Where does a policy place blocks? One thread takes all steps in their global order, also those of other threads. The
// answer then depends only on the workload and the policy, and not on a clock, the scheduler or this process's
// addresses. The timed replay measures throughput and latency on several threads.

/// The detail of a layout replay.
struct LayoutDetail: Sendable {
  /// The number of evenly spaced moments to sample.
  var sampleCount: Int
  /// The number of cells in a picture.
  var pictureCellCount: Int

  /// The detail of reports.
  static let full = LayoutDetail(sampleCount: 32, pictureCellCount: 16384)
}

/// The deterministic replay of a workload over a heap.
struct LayoutReplay<Heap: HeapPolicy & ~Copyable>: ~Copyable {
  private let facts: WorkloadFacts
  private let detail: LayoutDetail
  private let origin: VirtAddr
  private var heap: Heap
  private var addresses: ContiguousArray<UInt>
  /// The bytes that each live object was asked for; 0 for an object that is not live.
  private var requests: ContiguousArray<UInt64>
  private var liveByteCount: UInt64 = 0
  private var extentByteCount: UInt64 = 0
  private var grantedByteCount: UInt64 = 0
  private var requestedByteCount: UInt64 = 0
  private var growth = ForcedGrowth()
  private var samples: [LayoutSample] = []
  private var pictures: [HeapPicture] = []

  private init(_ plan: ReplayPlan, over range: AddrRange<VirtAddr>, detail: LayoutDetail) {
    facts = plan.facts
    self.detail = detail
    origin = range.start
    heap = Heap(over: range)
    addresses = ContiguousArray(repeating: 0, count: plan.facts.objectCount)
    requests = ContiguousArray(repeating: 0, count: plan.facts.objectCount)
  }

  /// Replays `plan` over a new heap in `range`; nil when the heap runs out of memory.
  ///
  /// - Complexity: O(n) in the number of steps, beside the heap's own work.
  static func report(
    _ plan: ReplayPlan, over range: AddrRange<VirtAddr>, detail: LayoutDetail = .full
  ) throws(MeasurementFailure) -> LayoutReport? {
    var replay = LayoutReplay(plan, over: range, detail: detail)
    var moments = replay.moments.makeIterator()
    var moment = moments.next()
    var hasMemory = true
    try plan.forEachStep { position, step in
      hasMemory = replay.take(step)
      if hasMemory, position == moment {
        replay.sample(stepCount: position + 1)
        moment = moments.next()
      }
      return hasMemory
    }
    guard hasMemory else { return nil }
    if plan.facts.stepCount == 0 { replay.sample(stepCount: 0) }
    return LayoutReport(
      facts: plan.facts, peakHeapByteCount: UInt64(replay.heap.statistics.peakExtentByteCount),
      grantedByteCount: replay.grantedByteCount, requestedByteCount: replay.requestedByteCount,
      growth: replay.growth, samples: replay.samples, pictures: replay.pictures)
  }

  /// The positions after which the heap is sampled: ascending, each once.
  private var moments: [Int] {
    let last = facts.stepCount - 1
    let even = (1...detail.sampleCount).map { last * $0 / detail.sampleCount }
    return Set(even + [facts.peakLivePosition]).sorted()
  }

  private mutating func sample(stepCount: Int) {
    let layout = HeapLayout(of: heap, from: origin)
    samples.append(
      LayoutSample(
        layout, stepCount: stepCount, liveByteCount: liveByteCount,
        referenceByteCount: facts.referenceRequestByteCount))
    let live = requests.indices.lazy.filter { [requests] in requests[$0] > 0 }.map { [addresses, requests, origin] in
      (offset: UInt64(addresses[$0] - origin.raw), byteCount: requests[$0])
    }
    pictures.append(HeapPicture(of: layout, requests: live, cellCount: detail.pictureCellCount))
  }

  /// Takes one step; false when the heap ran out of memory.
  private mutating func take(_ step: ReplayStep) -> Bool {
    let object = Int(step.object)
    switch step.kind {
    case .pause:
      return true
    case .deallocate:
      heap.deallocate(VirtAddr(addresses[object]))
      liveByteCount -= step.previousAmount
      requests[object] = 0
      return true
    case .allocate, .allocateZeroed:
      guard let address = heap.allocate(byteCount: UInt(step.amount), alignment: step.alignment) else { return false }
      addresses[object] = address.raw
    case .reallocate:
      let old = VirtAddr(addresses[object])
      if !heap.resize(old, toByteCount: UInt(step.amount)) {
        guard let address = heap.allocate(byteCount: UInt(step.amount), alignment: step.alignment) else { return false }
        heap.deallocate(old)
        addresses[object] = address.raw
      }
      liveByteCount -= step.previousAmount
    }
    liveByteCount += step.amount
    requests[object] = step.amount
    account(for: VirtAddr(addresses[object]), byteCount: step.amount)
    return true
  }

  /// Counts the bytes granted at `address` for a request of `byteCount` bytes, and whether the extent grew for it.
  private mutating func account(for address: VirtAddr, byteCount: UInt64) {
    let usable = UInt64(heap.usableByteCount(of: address))
    grantedByteCount += usable
    requestedByteCount += byteCount
    let end = UInt64(address.raw - origin.raw) + usable
    guard end > extentByteCount else {
      growth.countServed()
      return
    }
    let usedNow = UInt64(heap.inUseByteCount)
    let usedBefore = usedNow - min(usable, usedNow)
    let freeBefore = extentByteCount - min(usedBefore, extentByteCount)
    growth.countGrowth(byteCount: byteCount, freeByteCount: freeBefore)
    extentByteCount = end
  }
}
