public import Foundation

extension PagingReport {
  private struct File: Encodable {
    struct Cost: Encodable {
      let operation: String
      let instructionsPerPage: Double?
      let instructionLimit: Int
      let nanosecondsPerPage: Double
      let memsetNanosecondsPerPage: Double
    }
    struct Outcome: Encodable {
      let pattern: String
      let policy: String
      let faultCount: Int
      let smallPageCount: Int
      let largePageCount: Int
      let residentByteCount: Int
      let tableByteCount: Int
      let tlbReachByteCount: Int
      let promotionCount: Int
      let demotionCount: Int
    }
    let pageCount: Int
    let costs: [Cost]
    let outcomes: [Outcome]
    /// Why there are no instructions.
    let obstacle: String?
  }

  /// Both tables as JSON, keys in alphabetical order. Sizes are bytes, times nanoseconds.
  public func json() throws -> Data {
    let costs = timings.map {
      File.Cost(
        operation: $0.operation.rawValue, instructionsPerPage: instructions[$0.operation],
        instructionLimit: $0.operation.instructionLimit, nanosecondsPerPage: $0.nanoseconds.figure,
        memsetNanosecondsPerPage: $0.memsetNanoseconds.figure)
    }
    let outcomes = outcomes.map {
      File.Outcome(
        pattern: $0.pattern.rawValue, policy: Self.name(of: $0.policy), faultCount: $0.faultCount,
        smallPageCount: $0.smallPageCount, largePageCount: $0.largePageCount, residentByteCount: $0.residentByteCount,
        tableByteCount: $0.tableByteCount, tlbReachByteCount: $0.tlbReachByteCount, promotionCount: $0.promotionCount,
        demotionCount: $0.demotionCount)
    }
    return try File(pageCount: PagingOperation.pageCount, costs: costs, outcomes: outcomes, obstacle: missing).json()
  }
}
