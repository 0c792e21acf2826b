import PageTables
import Testing

@testable import HeapBenchKit

/// The paging figures: every operation runs, and each policy treats the patterns as intended.
@Suite struct PagingTests {
  @Test(arguments: PagingOperation.allCases) func operationsRun(operation: PagingOperation) throws {
    try PagingInstructionCount.perform(operation)
  }

  @Test func sparseMemoryStaysSmallUnderTheDynamicPolicy() throws {
    let never = try outcome(.sparse, .never)
    let dynamic = try outcome(.sparse, .dynamic)
    #expect(dynamic.largePageCount == 0)
    #expect(dynamic.residentByteCount == never.residentByteCount)
    #expect(try outcome(.sparse, .always).residentByteCount > 50 * never.residentByteCount)
  }

  @Test func denseMemoryBecomesLargeUnderTheDynamicPolicy() throws {
    let never = try outcome(.hotSet, .never)
    let dynamic = try outcome(.hotSet, .dynamic)
    #expect(dynamic.largePageCount == 8)
    #expect(dynamic.faultCount < never.faultCount)
    #expect(dynamic.tlbReachByteCount > 2 * never.tlbReachByteCount)
    #expect(dynamic.residentByteCount < 2 * never.residentByteCount)
  }

  private func outcome(_ pattern: PagingPattern, _ policy: LargePagePolicy) throws -> PagingOutcome {
    var process = try PagingProcess(policy: policy, physicalByteCount: 256 << 20)
    try pattern.run(&process)
    return process.outcome(pattern, policy)
  }
}
