import Testing

@testable import HeapBenchKit

/// The pairs whose instructions the gate counts.
@Suite struct FramePairsTests {
  @Test(arguments: FrameMemory.allCases) func pairsRun(memory: FrameMemory) throws { try FramePairs.perform(memory) }
}
