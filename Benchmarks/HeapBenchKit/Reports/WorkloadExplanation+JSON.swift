public import Foundation

extension WorkloadExplanation {
  private struct File: Encodable {
    struct Bin: Encodable {
      /// The least and the greatest number of the bin.
      let from: UInt64
      let through: UInt64
      let count: Int
    }
    let name: String
    let summary: String
    let file: String
    let threadCount: Int
    let activeThreadCount: Int
    let allocationCount: Int
    let zeroedCount: Int
    let alignedCount: Int
    let reallocationCount: Int
    let deallocationCount: Int
    let remoteDeallocationCount: Int
    let requestedByteCount: UInt64
    let peakLiveByteCount: UInt64
    let peakLiveObjectCount: Int
    let endLiveByteCount: UInt64
    let endLiveObjectCount: Int
    let sizes: [Bin]
    let lifetimes: [Bin]
  }

  /// The explanation as JSON, keys in alphabetical order. Sizes are bytes; lifetimes are allocations.
  public func json() throws -> Data {
    let statistics = WorkloadStatistics(of: workload)
    func bins(_ histogram: PowerHistogram) -> [File.Bin] {
      histogram.bins.map { File.Bin(from: $0.numbers.lowerBound, through: $0.numbers.upperBound, count: $0.count) }
    }
    return try File(
      name: workload.name, summary: workload.summary, file: path, threadCount: workload.threadCount,
      activeThreadCount: statistics.activeThreadCount, allocationCount: statistics.allocationCount,
      zeroedCount: statistics.zeroedCount, alignedCount: statistics.alignedCount,
      reallocationCount: statistics.reallocationCount, deallocationCount: statistics.deallocationCount,
      remoteDeallocationCount: statistics.remoteDeallocationCount, requestedByteCount: statistics.requestedByteCount,
      peakLiveByteCount: statistics.peakLiveByteCount, peakLiveObjectCount: statistics.peakLiveObjectCount,
      endLiveByteCount: statistics.endLiveByteCount, endLiveObjectCount: statistics.endLiveObjectCount,
      sizes: bins(statistics.sizes), lifetimes: bins(statistics.lifetimes)
    ).json()
  }
}
