import HeapBenchKit
import Testing

@Suite struct WorkloadStatisticsTests {
  static let workload = Workload(
    name: "w", summary: "a test", threadCount: 3, objectCount: 3,
    steps: [
      WorkloadStep(.allocate, object: 0, amount: 100, alignmentLog2: 6),
      WorkloadStep(.allocateZeroed, object: 1, amount: 0, thread: 1),
      WorkloadStep(.reallocate, object: 0, amount: 300),
      WorkloadStep(.pause, amount: 1500),
      WorkloadStep(.deallocate, object: 0, thread: 1),
      WorkloadStep(.allocate, object: 2, amount: 64, thread: 1),
      WorkloadStep(.deallocate, object: 2, thread: 1),
    ])

  @Test func everyFigureIsCounted() {
    let statistics = WorkloadStatistics(of: Self.workload)
    #expect(statistics.allocationCount == 3)
    #expect(statistics.zeroedCount == 1)
    #expect(statistics.alignedCount == 1)
    #expect(statistics.reallocationCount == 1)
    #expect(statistics.deallocationCount == 2)
    #expect(statistics.remoteDeallocationCount == 1)
    #expect(statistics.remoteShare == 0.5)
    #expect(statistics.activeThreadCount == 2)
    #expect(statistics.pauseMicroseconds == 1500)
    #expect(statistics.requestedByteCount == 464)
    #expect(statistics.peakLiveByteCount == 300)
    #expect(statistics.peakLiveObjectCount == 2)
    #expect(statistics.endLiveByteCount == 0)
    #expect(statistics.endLiveObjectCount == 1)
    #expect(statistics.sizes.bins.map(\.numbers) == [0...0, 64...127, 256...511])
    #expect(statistics.sizes.bins.map(\.count) == [1, 2, 1])
    #expect(statistics.sizes.mean == 116)
    // One allocation follows object 0's before it ends, and none follows object 2's.
    #expect(statistics.lifetimes.bins.map(\.numbers) == [1...1, 2...3])
  }

  @Test func nothingHasNoFigures() {
    let statistics = WorkloadStatistics(
      of: Workload(name: "w", summary: "", threadCount: 1, objectCount: 0, steps: []))
    #expect(statistics.remoteShare == 0)
    #expect(statistics.sizes.mean == 0)
    #expect(statistics.sizes.quantileBound(0.5) == nil)
    #expect(statistics.lifetimes.bins.isEmpty)
  }

  @Test func quantilesAreBoundedByTheirBins() {
    let statistics = WorkloadStatistics(of: Self.workload)
    #expect(statistics.sizes.quantileBound(0.25) == 0)
    #expect(statistics.sizes.quantileBound(0.5) == 127)
    #expect(statistics.sizes.quantileBound(0.75) == 127)
    #expect(statistics.sizes.quantileBound(1) == 511)
  }

  @Test func theRecordedPeaksAreThoseOfTheRecorder() throws {
    let statistics = WorkloadStatistics(of: try TraceFile(path: WorkloadFiles.trace("sqlite-oltp")).workload())
    #expect(statistics.peakLiveByteCount == 27_060_317)
    #expect(statistics.endLiveByteCount == 13_033)
    #expect(statistics.endLiveObjectCount == 16)
  }

  @Test func theDigestTellsEveryFieldApart() {
    let step = WorkloadStep(.allocate, object: 0, amount: 8, alignmentLog2: 4, thread: 1)
    var digests: Set<UInt64> = []
    var variants = Array(repeating: step, count: 6)
    variants[1].kind = .allocateZeroed
    variants[2].alignmentLog2 = 5
    variants[3].thread = 0
    variants[4].object = 1
    variants[5].amount = 8 << 32
    for variant in variants {
      digests.insert(
        Workload(name: "", summary: "", threadCount: 2, objectCount: 1, steps: [variant]).digest)
    }
    digests.insert(Workload(name: "", summary: "", threadCount: 3, objectCount: 1, steps: [step]).digest)
    digests.insert(Workload(name: "x", summary: "", threadCount: 3, objectCount: 1, steps: [step]).digest)
    #expect(digests.count == 7)
  }

  @Test func aPrefixIsAWorkload() {
    let prefix = Self.workload.prefix(4)
    #expect(brokenPromise(of: prefix) == nil)
    #expect(prefix.steps.count == 4)
    #expect(prefix.objectCount == 2)
    #expect(Self.workload.prefix(100).steps == Self.workload.steps)
  }
}
