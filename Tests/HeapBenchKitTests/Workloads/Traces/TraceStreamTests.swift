import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct TraceStreamTests {
  @Test(arguments: ["perl-hash", "node-zlib-threads"]) func aStreamedTraceHasTheLayoutOfOneInMemory(_ name: String)
    throws
  {
    let trace = try TraceFile(path: WorkloadFiles.trace(name))
    let inMemory = try ReplayPlan(trace.workload())
    let streamed = try ReplayPlan(streaming: trace)
    #expect(streamed.facts.stepCount == inMemory.facts.stepCount)
    #expect(streamed.facts.peakLivePosition == inMemory.facts.peakLivePosition)
    #expect(streamed.facts.objectCount < inMemory.facts.objectCount)
    let policy = try #require(PolicyCatalog.policy(named: "firstfit"))
    let detail = LayoutDetail(sampleCount: 8, pictureCellCount: 64)
    let reports = try [inMemory, streamed].map { plan in
      try MeasurementRequest.measure(plan, with: policy, passes: [.layout], heapByteCount: 0, detail: detail).layout
    }
    #expect(reports[0] == reports[1])
  }

  @Test(arguments: 0..<8) func slotsFollowAModel(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var slots = ObjectSlots()
    var model: [UInt64: UInt32] = [:]
    var peak = 0
    for object in 0..<20_000 as Range<UInt64> {
      let slot = slots.insert(object)
      #expect(slot != nil && !model.values.contains(slot!) || model.count > 200, "seed \(seed)")
      model[object] = slot
      peak = max(peak, model.count)
      while model.count > 100, let victim = model.keys.randomElement(using: &generator) {
        let found = slots.remove(victim)
        #expect(found == model.removeValue(forKey: victim), "seed \(seed)")
        if let found { slots.release(found) }
        #expect(slots.remove(victim) == nil)
      }
    }
    #expect(slots.slotCount == peak)
  }

  @Test func jsonLinesReadBack() throws {
    try WorkloadFiles.withFolder([:]) { folder in
      let lines = folder + "/t.jsonl"
      _ = try TraceConversion.convert(WorkloadFiles.trace("perl-hash"), .hltrace, to: lines, .jsonl)
      _ = try TraceConversion.convert(lines, .jsonl, to: folder + "/t.hltrace", .hltrace)
      let before = try TraceFile(path: WorkloadFiles.trace("perl-hash")).workload()
      let after = try TraceFile(path: folder + "/t.hltrace").workload()
      #expect(after.steps.filter { $0.kind != .pause } == before.steps.filter { $0.kind != .pause })
    }
  }

  @Test func heaptracksLinesAreRead() throws {
    let text = "v 10400 3\nx 8 /bin/p\n+ 18 1 aa0\nc 5\n+ 20 1 bb0\n- aa0\n- cc0\n"
    try WorkloadFiles.withFolder(["heaptrack.p.1": Array(text.utf8)]) { folder in
      _ = try TraceConversion.convert(
        folder + "/heaptrack.p.1", .heaptrack, to: folder + "/t.hltrace", .hltrace)
      let workload = try TraceFile(path: folder + "/t.hltrace").workload()
      #expect(
        Array(workload.steps) == [
          WorkloadStep(.allocate, object: 0, amount: 24), WorkloadStep(.pause, amount: 5000),
          WorkloadStep(.allocate, object: 1, amount: 32), WorkloadStep(.deallocate, object: 0),
        ])
    }
  }

  static let flaws: [(String, String)] = [
    ("not JSON", "line 1: a line must be a JSON object with the key 'op'"),
    (#"{"op":"malloc","object":1}"#, "line 1: the key 'size' must be a number of bytes"),
    (#"{"op":"malloc","size":1}"#, "line 1: an allocation must name its block by 'object' or 'address'"),
    (
      #"{"op":"mallok","size":1,"object":1}"#,
      "line 1: no operation is called 'mallok'; there are malloc, calloc, aligned_alloc, realloc, free"
    ),
  ]

  @Test(arguments: flaws) func aFlawIsNamedWithItsLine(_ line: String, clause: String) throws {
    try WorkloadFiles.withFolder(["t.jsonl": Array(line.utf8)]) { folder in
      #expect {
        try TraceConversion.convert(folder + "/t.jsonl", .jsonl, to: folder + "/t.hltrace", .hltrace)
      } throws: { error in
        "\(error)" == "'\(folder)/t.jsonl' \(clause)"
      }
    }
  }
}
