import Foundation
import Subprocess

/// Runs `heapbench-driver`: one workload, in a process of its own, with the preloaded malloc.
struct MallocDriver: Sendable {
  let workbench: GateWorkbench

  /// The driver's output.
  struct Answer: Decodable, Sendable {
    let operations: Double
    let nanoseconds: Double
    let processorNanoseconds: Double
    let threads: Double
    let peakLiveByteCount: Double?
    let peakResidentByteCount: Double?
    let endLiveByteCount: Double?
    let endResidentByteCount: Double?
    let idleResidentByteCount: Double?
    let trimmedResidentByteCount: Double?
  }

  /// Runs a workload under `library`; under the system's malloc for nil.
  func run(_ workload: String, _ arguments: [String] = [], library: String?) async throws -> Answer {
    let driver = try workbench.built("heapbench-driver", product: "heapbench-driver")
    let text = try await workbench.output(
      of: driver, ["run", workload] + arguments, environment: library.map { ["LD_PRELOAD": $0] } ?? [:])
    do {
      return try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
    } catch {
      throw GateObstacle("heapbench-driver run \(workload) does not say what is expected; build all products alike")
    }
  }

  /// The instructions for each operation of a workload under the preload: the difference between a run and one with
  /// twice as many operations.
  func instructionCount(_ workload: String, operationCount: Int) async throws -> Double {
    let driver = try await workbench.stripped("heapbench-driver", product: "heapbench-driver")
    let library = try await workbench.strippedLibrary
    let counter = InstructionCounter(workbench: workbench)
    var counts: [Double] = []
    for operations in [operationCount, 2 * operationCount] {
      counts.append(
        try await counter.count(
          driver, ["run", workload, "--operations", "\(operations)"], environment: ["LD_PRELOAD": library]))
    }
    return (counts[1] - counts[0]) / Double(operationCount)
  }
}
