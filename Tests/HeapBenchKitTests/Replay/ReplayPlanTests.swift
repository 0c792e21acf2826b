import Testing

@testable import HeapBenchKit

@Suite struct ReplayPlanTests {
  @Test func factsOfAHandmadeWorkload() throws {
    let facts = try ReplayPlan(HandmadeWorkload.threeBlocks).facts
    #expect(facts.stepCount == 6)
    #expect(facts.operationCount == 5)
    #expect(facts.objectCount == 4)
    // 64 + 64 + 128 after the last step.
    #expect(facts.peakLiveByteCount == 256)
    #expect(facts.peakLivePosition == 5)
    #expect(facts.oraclePeakByteCount == 256)
    #expect(facts.smallestRequestByteCount == 64)
    #expect(facts.largestRequestByteCount == 128)
  }

  @Test func aReallocationChangesWhatIsLive() throws {
    let plan = try ReplayPlan(
      HandmadeWorkload.make([
        .init(.allocate, object: 0, amount: 100, alignmentLog2: 6),
        .init(.reallocate, object: 0, amount: 40),
        .init(.allocateZeroed, object: 1, amount: 0),
        .init(.deallocate, object: 0),
      ]))
    #expect(plan.facts.peakLiveByteCount == 100)
    // The oracle holds 128 bytes for the aligned block, then 48 and 16.
    #expect(plan.facts.oraclePeakByteCount == 128)
    #expect(plan.steps[1].previousAmount == 100)
    #expect(plan.steps[1].turn == 1)
    #expect(plan.steps[3].previousAmount == 40)
    #expect(plan.steps[3].turn == 2)
  }

  @Test func theReferenceRequestLeavesOnePercentAbove() throws {
    func reference(small: Int, large: Int) throws -> UInt64 {
      let steps = (0..<small + large).map { index in
        WorkloadStep(.allocate, object: UInt32(index), amount: index < small ? 32 : 4000)
      }
      return try ReplayPlan(HandmadeWorkload.make(steps)).facts.referenceRequestByteCount
    }
    #expect(try reference(small: 198, large: 2) == 32)
    #expect(try reference(small: 197, large: 3) == 4000)
  }

  @Test func stepsAreSharedWithAnotherProcessByPath() throws {
    let plan = try ReplayPlan(HandmadeWorkload.threeBlocks)
    let other = try ReplayPlan(name: "other", facts: plan.facts, sharedAt: plan.steps.path)
    #expect(other.steps[5].amount == 128)
    #expect(other.steps[3].previousAmount == 64)
  }

  @Test func anEmptyWorkloadIsAWorkload() throws {
    let facts = try ReplayPlan(HandmadeWorkload.make([])).facts
    #expect(facts.peakLiveByteCount == 0)
    #expect(facts.operationCount == 0)
  }
}
