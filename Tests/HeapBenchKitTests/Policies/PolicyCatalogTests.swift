import Foundation
import Testing

@testable import HeapBenchKit

@Suite struct PolicyCatalogTests {
  @Test func namesAreUniqueAndFound() {
    let names = PolicyCatalog.all.map(\.name)
    #expect(Set(names).count == names.count)
    for name in names { #expect(PolicyCatalog.policy(named: name)?.name == name) }
    #expect(PolicyCatalog.policy(named: "frstfit") == nil)
    #expect(names.contains(PolicyCatalog.system.name))
  }

  /// Every policy serves every profile, at a size that suits a debug build.
  @Test(arguments: try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path).sources.filter { $0.kind == .profile })
  func everyPolicyServesEveryProfile(source: WorkloadSource) throws {
    let plan = try ReplayPlan(source.workload(seed: 3, scale: 0.002))
    let detail = LayoutDetail(sampleCount: 4, pictureCellCount: 64)
    for policy in PolicyCatalog.all {
      var measurement = Measurement()
      if policy.receivesMemory {
        measurement = try MeasurementRequest.measure(
          plan, with: policy, passes: [.layout], heapByteCount: 0, detail: detail)
        let layout = try #require(measurement.layout, "\(policy.name)")
        #expect(layout.blowUpOverOracle >= 1, "\(policy.name): no heap is denser than one that compacts")
        #expect(layout.internalWaste >= 1, "\(policy.name)")
        #expect(layout.samples.contains { $0.stepCount == plan.facts.stepCount }, "\(policy.name)")
      }
      let peak = measurement.layout?.peakHeapByteCount ?? 0
      let replay = try MeasurementRequest.measure(
        plan, with: policy, passes: [.throughput], heapByteCount: 2 * peak + (4 << 20))
      #expect(replay.failureCount == 0, "\(policy.name)")
      #expect(replay.throughput?.operationCount == plan.facts.operationCount)
    }
  }
}
