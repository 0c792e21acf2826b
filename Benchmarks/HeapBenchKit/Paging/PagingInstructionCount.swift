import Foundation

/// Counts the instructions of an operation: runs this program again under ``InstructionCounter``, which counts while
/// the measured function runs and at no other time.
public enum PagingInstructionCount {
  /// The command that does one operation once; `heapbench` has it and does not list it.
  public static let subcommand = "paging-operation"

  /// Does what the command is for: one operation, once.
  public static func perform(_ operation: PagingOperation) throws {
    var run = try PagingRun()
    try run.run(operation) { try $0() }
  }

  /// Instructions for each page or address.
  ///
  /// - Throws: ``GateObstacle`` when valgrind or strip is not installed, or does not say what is expected.
  static func count(_ operation: PagingOperation, on workbench: GateWorkbench) async throws -> Double {
    let heapbench = try await workbench.stripped("heapbench", product: "heapbench")
    let count = try await InstructionCounter(workbench: workbench).count(
      heapbench, [subcommand, operation.rawValue], within: "$s12HeapBenchKit??pagingMeasured*")
    return count / Double(PagingOperation.pageCount)
  }
}
