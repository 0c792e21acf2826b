import Addresses
import FirstFitHeap
import Foundation
import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct LayoutReplayTests {
  @Test func figuresOfAHandmadeWorkload() throws {
    let memory = TestMemory(byteCount: 4096)
    let plan = try ReplayPlan(HandmadeWorkload.threeBlocks)
    let found = try LayoutReplay<HeaderlessHeap>.report(plan, over: memory.range)
    let report = try #require(found)
    // The heap: 64 bytes used, 64 free, 64 used, 128 used.
    #expect(report.peakHeapByteCount == 320)
    #expect(report.blowUp == 1.25)
    #expect(report.blowUpOverOracle == 1.25)
    #expect(report.internalWaste == 1)
    // The last request made the heap grow, but 64 free bytes could not have held it.
    #expect(report.forcedGrowthShare == 0)
    let last = try #require(report.samples.last)
    #expect(last.stepCount == 6)
    #expect(last.extentByteCount == 320)
    #expect(last.freeByteCount == 64)
    #expect(last.holeCount == 1)
    #expect(last.liveByteCount == 256)
    // Of four requests, the 99th percentile is the largest; the hole of 64 is too short for it.
    #expect(report.referenceRequestByteCount == 128)
    #expect(last.externalFragmentation == 0.2)
    #expect(last.fragmentationIndex == 0)
    #expect(last.checkerboard == 0.25)
  }

  @Test func growthIsForcedWhereTheBytesAreInPieces() throws {
    var steps = (0..<4).map { WorkloadStep(.allocate, object: UInt32($0), amount: 64) }
    steps += [.init(.deallocate, object: 0), .init(.deallocate, object: 2), .init(.allocate, object: 4, amount: 128)]
    let memory = TestMemory(byteCount: 4096)
    let plan = try ReplayPlan(HandmadeWorkload.make(steps))
    let found = try LayoutReplay<HeaderlessHeap>.report(plan, over: memory.range)
    let report = try #require(found)
    // One request of five was forced: 128 bytes were free, in two holes.
    #expect(report.forcedGrowthShare == 0.2)
    #expect(report.peakHeapByteCount == 384)
  }

  @Test func aHeapThatRunsOutGivesNoReport() throws {
    let memory = TestMemory(byteCount: 256)
    let plan = try ReplayPlan(HandmadeWorkload.threeBlocks)
    let report = try LayoutReplay<HeaderlessHeap>.report(plan, over: memory.range)
    #expect(report == nil)
  }

  @Test func theWorstMomentIsTheOneWithMostOfTheHeapInShortHoles() throws {
    // 64 blocks of 64 bytes and two of 4000. Every other small block is freed, then the others.
    var steps = (0..<64).map { WorkloadStep(.allocate, object: UInt32($0), amount: 64) }
    steps += [.init(.allocate, object: 64, amount: 4000), .init(.allocate, object: 65, amount: 4000)]
    steps += (0..<32).map { .init(.deallocate, object: UInt32(2 * $0)) }
    steps += (0..<32).map { .init(.deallocate, object: UInt32(2 * $0 + 1)) }
    let memory = TestMemory(byteCount: 65536)
    let plan = try ReplayPlan(HandmadeWorkload.make(steps))
    let found = try LayoutReplay<HeaderlessHeap>.report(plan, over: memory.range)
    let report = try #require(found)
    #expect(report.referenceRequestByteCount == 4000)
    // When half of the small blocks are gone, 2048 bytes of 12096 are in short holes. Then the holes merge.
    #expect(report.worstSample.externalFragmentation > 0.15)
    #expect((97...130).contains(report.worstSample.stepCount))
    #expect(report.worstPicture.extentByteCount == report.peakHeapByteCount)
  }

  @Test(arguments: ["web-server", "sawtooth", "message-queue"])
  func equalSeedsGiveEqualFiguresToTheByte(profile: String) throws {
    let path = WorkloadFiles.benchmarks.appending(path: "Profiles/\(profile).yaml").path
    func figures(seed: UInt64) throws -> Data {
      let workload = ProfileGenerator.workload(of: try Profile(path: path), seed: seed, scale: 0.005)
      let plan = try ReplayPlan(workload)
      // The memory lies elsewhere each time, which must not change the figures.
      let memory = try ReplayMemory(byteCount: 64 << 20, isPinned: false)
      let detail = LayoutDetail(sampleCount: 6, pictureCellCount: 500)
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      let report = try LayoutReplay<FirstFitHeap>.report(plan, over: memory.range, detail: detail)
      return try encoder.encode(try #require(report))
    }
    let first = try figures(seed: 11)
    #expect(try figures(seed: 11) == first)
    #expect(try figures(seed: 12) != first)
  }
}
