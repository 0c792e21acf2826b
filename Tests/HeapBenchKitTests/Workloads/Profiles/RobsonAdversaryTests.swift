import HeapBenchKit
import Testing

@Suite struct RobsonAdversaryTests {
  static func workload(live: UInt64, unit: UInt64, limit: UInt64) -> Workload {
    let profile = Profile(
      name: "robson", summary: "a test",
      behaviour: .adversary(.robson(liveByteCount: live, unit: unit, limit: limit)))
    return ProfileGenerator.workload(of: profile, seed: 0)
  }

  /// The end of the highest block of a textbook first fit under `workload`.
  ///
  /// The holes are a list in address order, and each request walks it from the start. This is slow, and independent of
  /// the way in which the generator places blocks. Every block has `header` bytes beyond its request.
  static func extent(ofFirstFitFor workload: Workload, header: UInt64) -> UInt64 {
    var holes: [(start: UInt64, end: UInt64)] = [(0, .max)]
    var blocks: [UInt32: (start: UInt64, end: UInt64)] = [:]
    var extent: UInt64 = 0
    for step in workload.steps {
      switch step.kind {
      case .deallocate:
        guard let block = blocks.removeValue(forKey: step.object) else { return 0 }
        let index = holes.firstIndex { $0.start > block.start } ?? holes.count
        holes.insert(block, at: index)
        if index + 1 < holes.count, holes[index].end == holes[index + 1].start {
          holes[index].end = holes.remove(at: index + 1).end
        }
        if index > 0, holes[index - 1].end == holes[index].start {
          holes[index - 1].end = holes.remove(at: index).end
        }
      default:
        let byteCount = (step.amount + header + 15) / 16 * 16
        guard let index = holes.firstIndex(where: { $0.end - $0.start >= byteCount }) else { return 0 }
        blocks[step.object] = (holes[index].start, holes[index].start + byteCount)
        holes[index].start += byteCount
        if holes[index].start == holes[index].end { holes.remove(at: index) }
        extent = max(extent, holes.isEmpty ? 0 : blocks[step.object]?.end ?? 0)
      }
    }
    return extent
  }

  /// With M units live and blocks up to n units, Robson's bound is M (½ log2 n + 1) − n + 1.
  @Test(arguments: [(256, 4), (1024, 6), (1024, 8)], [8, 16] as [UInt64])
  func firstFitIsDrivenToRobsonsBound(_ size: (units: UInt64, log2: UInt64), header: UInt64) {
    let limit = UInt64(1) << size.log2
    let workload = Self.workload(live: size.units * 64, unit: 64, limit: limit * 64)
    #expect(brokenPromise(of: workload) == nil)
    let bound = size.units * size.log2 / 2 + size.units - limit + 1
    let units = Self.extent(ofFirstFitFor: workload, header: header) / 64
    #expect(units >= bound, "\(units) units")
  }

  @Test func theBudgetIsKeptAndSpent() {
    let statistics = WorkloadStatistics(of: Self.workload(live: 1 << 20, unit: 64, limit: 1 << 12))
    // Each request leaves 16 bytes of its block for the header.
    #expect(statistics.peakLiveByteCount <= 1 << 20)
    #expect(statistics.peakLiveByteCount > (1 << 20) * 3 / 4)
    #expect(statistics.sizes.bins.map(\.count).reduce(0, +) == statistics.allocationCount)
  }
}
