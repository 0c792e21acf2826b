/// Counts the instructions of an operation. It runs this program again under ``InstructionCounter``, which counts only
/// inside the measured function.
public enum PagingInstructionCount {
  /// The command that runs one operation once, which `heapbench` does not list.
  public static let subcommand = "paging-operation"

  /// Runs the command: one operation, once.
  public static func perform(_ operation: PagingOperation) throws {
    var run = try PagingRun()
    try run.run(operation) { try $0() }
  }

  /// The instructions for each page or address.
  ///
  /// - Throws: ``GateObstacle`` when valgrind or strip is not installed, or when its output is not understood.
  static func count(_ operation: PagingOperation, on workbench: GateWorkbench) async throws -> Double {
    let heapbench = try await workbench.stripped("heapbench", product: "heapbench")
    let count = try await InstructionCounter(workbench: workbench).count(
      heapbench, [subcommand, operation.rawValue], within: "$s12HeapBenchKit??pagingMeasured*")
    return count / Double(PagingOperation.pageCount)
  }
}
