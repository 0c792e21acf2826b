import Foundation
import Testing

@testable import HeapBenchKit

@Suite struct BenchmarkJobTests {
  @Test func aWorkloadLargerThanTheMachineIsRefusedWithARemedy() throws {
    let plan = try ReplayPlan(HandmadeWorkload.threeBlocks)
    try BenchmarkJob.checkFits(plan, available: 256)
    #expect(
      throws: MeasurementFailure(
        "'handmade' has 256 B live at once and this machine has 255 B available: lower --scale, or leave it out")
    ) {
      try BenchmarkJob.checkFits(plan, available: 255)
    }
  }

  @Test func aPolicyThatDiesIsALineInTheReportAndOthersGoOn() async throws {
    // The executable answers no request, so every measurement fails.
    let items = [JobItem(name: "handmade", estimatedStepCount: 6) { HandmadeWorkload.threeBlocks }]
    let job = BenchmarkJob(
      items: items, policies: PolicyCatalog.all, roundCount: 1, process: MeasurementProcess(executable: "/bin/false"))
    let report = try await job.run(settings: .init(seed: 1, scale: 1, roundCount: 1), progress: NoProgress())
    #expect(report.isComplete)
    #expect(report.workloads[0].results.map(\.policy) == PolicyCatalog.all.map(\.name))
    for result in report.workloads[0].results {
      #expect(result.failure?.hasPrefix("policy '\(result.policy)' ended on 'handmade': ") == true)
    }
  }

  @Test func profilesTakeAnotherNumberOfThreads() throws {
    let profile = try Profile(path: WorkloadFiles.benchmarks.appending(path: "Profiles/web-server.yaml").path)
    let workload = ProfileGenerator.workload(of: try profile.with(threadCount: 2), seed: 1, scale: 0.002)
    #expect(workload.threadCount == 2)
    #expect(Set(workload.steps.map(\.thread)) == [0, 1])
    let queue = try Profile(path: WorkloadFiles.benchmarks.appending(path: "Profiles/message-queue.yaml").path)
    #expect(throws: ProfileError.self) { try queue.with(threadCount: 1) }
  }
}
