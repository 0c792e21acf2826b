import Addresses
import FirstFitHeap
import LabTestSupport
import Testing

@testable import HeapBenchKit

@Suite struct TimedReplayTests {
  @Test(arguments: PolicyCatalog.all.map(\.name))
  func threadsTakeEachObjectsStepsInTheirOrder(policy name: String) throws {
    let policy = try #require(PolicyCatalog.policy(named: name))
    let plan = try ReplayPlan(HandmadeWorkload.relay(count: 3000))
    let measurement = try MeasurementRequest.measure(
      plan, with: policy, passes: [.throughput, .latency], heapByteCount: 8 << 20)
    #expect(measurement.failureCount == 0)
    #expect(measurement.throughput?.operationCount == 9000)
    #expect((measurement.throughput?.elapsedNanoseconds ?? 0) > 0)
    let latency = try #require(measurement.latency)
    #expect(latency.p50Nanoseconds <= latency.p99Nanoseconds)
    #expect(latency.p99Nanoseconds <= latency.p999Nanoseconds)
    #expect(latency.p999Nanoseconds <= latency.p9999Nanoseconds)
    #expect(latency.p9999Nanoseconds <= latency.maxNanoseconds)
  }

  @Test func aThreadWithFewStepsHoldsNobodyUp() throws {
    let plan = try ReplayPlan(HandmadeWorkload.rareWaiter)
    let outcome = try TimedReplay(plan, on: SystemMalloc()).run { NoObserver() }
    #expect(outcome.failureCount == 0)
  }

  @Test func requestsWithoutMemoryAreCountedAndTheirObjectsLeftAlone() throws {
    let plan = try ReplayPlan(
      HandmadeWorkload.make([
        .init(.allocate, object: 0, amount: 100_000),
        .init(.reallocate, object: 0, amount: 50),
        .init(.allocate, object: 1, amount: 1000),
        .init(.reallocate, object: 1, amount: 200_000),
        .init(.deallocate, object: 1),
        .init(.deallocate, object: 0),
      ]))
    let memory = TestMemory(byteCount: 65536)
    let outcome = try TimedReplay(plan, on: SpinLockedHeap<FirstFitHeap>(over: memory.range)).run { NoObserver() }
    #expect(outcome.failureCount == 2)
  }

  @Test func overlappingBlocksEndTheProcess() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      try Self.replay(on: FaultyTarget(fault: .overlap), Self.pair)
    }
    #expect(text(of: result).contains("a block lost its content: it was moved without it, or overlaps another"))
  }

  @Test func zeroedBlocksMustBeZero() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      try Self.replay(on: FaultyTarget(fault: .dirtyZero), [.init(.allocateZeroed, object: 0, amount: 100)])
    }
    #expect(text(of: result).contains("a block that was to be zero is not"))
  }

  @Test func reallocationMustKeepTheContent() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      let steps: [WorkloadStep] = [
        .init(.allocate, object: 0, amount: 100), .init(.reallocate, object: 0, amount: 5000),
      ]
      try Self.replay(on: FaultyTarget(fault: .forgetfulReallocation), steps)
    }
    #expect(text(of: result).contains("a block lost its content: it was moved without it, or overlaps another"))
  }

  /// Two blocks that are live at the same time.
  private static let pair: [WorkloadStep] = [
    .init(.allocate, object: 0, amount: 100), .init(.allocate, object: 1, amount: 100),
    .init(.deallocate, object: 0), .init(.deallocate, object: 1),
  ]

  private static func replay(on target: FaultyTarget, _ steps: [WorkloadStep]) throws {
    _ = try TimedReplay(try ReplayPlan(HandmadeWorkload.make(steps)), on: target).run { NoObserver() }
  }
}

/// An allocator with one bug.
private struct FaultyTarget: ReplayTarget {
  enum Fault {
    case overlap
    case dirtyZero
    case forgetfulReallocation
  }

  let fault: Fault
  private static let place = SystemMalloc().allocate(byteCount: 1 << 16, alignment: 16)

  func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    fault == .overlap ? Self.place : SystemMalloc().allocate(byteCount: byteCount, alignment: alignment)
  }

  func allocateZeroed(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    let address = SystemMalloc().allocateZeroed(byteCount: byteCount, alignment: alignment)
    if let address { TestMemory.setByte(1, at: address + (byteCount - 1)) }
    return address
  }

  func reallocate(_ address: VirtAddr, toByteCount byteCount: UInt, alignment: UInt) -> VirtAddr? {
    SystemMalloc().allocateZeroed(byteCount: byteCount, alignment: alignment)
  }

  func deallocate(_ address: VirtAddr) {}

  func usableByteCount(of address: VirtAddr) -> UInt { 0 }
}
