@testable import HeapBenchKit

/// Workloads that are small enough to follow by hand.
enum HandmadeWorkload {
  /// A workload of these steps.
  static func make(_ steps: [WorkloadStep], threads: Int = 1) -> Workload {
    let objects = steps.filter { $0.kind == .allocate || $0.kind == .allocateZeroed }.count
    return Workload(
      name: "handmade", summary: "a test's own", threadCount: threads, objectCount: objects,
      steps: ContiguousArray(steps))
  }

  /// Allocates three blocks of 64 bytes, frees the middle one, then allocates 128 bytes: a hole of 64 stays.
  static let threeBlocks = make([
    .init(.allocate, object: 0, amount: 64),
    .init(.allocate, object: 1, amount: 64),
    .init(.allocate, object: 2, amount: 64),
    .init(.deallocate, object: 1),
    .init(.pause, amount: 5000),
    .init(.allocate, object: 3, amount: 128),
  ])

  /// Thread 0 has one step in two thousand, and waits for thread 1 each time. A replay in which thread 0 then holds up
  /// thread 1 never ends.
  static let rareWaiter: Workload = {
    var steps: [WorkloadStep] = []
    for object in 0..<(20_000 as UInt32) {
      steps.append(.init(.allocate, object: object, amount: 16, thread: 1))
      if object % 2000 == 1999 { steps.append(.init(.deallocate, object: object - 1, thread: 0)) }
    }
    return make(steps, threads: 2)
  }()

  /// For each of `count` blocks, thread 0 allocates it, thread 1 resizes it and thread 0 frees it, one right after
  /// another.
  static func relay(count: UInt32) -> Workload {
    var steps: [WorkloadStep] = []
    for object in 0..<count {
      steps.append(.init(.allocate, object: object, amount: UInt64(1 + object % 300), thread: 0))
      steps.append(.init(.reallocate, object: object, amount: UInt64(1 + (object * 7) % 500), thread: 1))
      steps.append(.init(.deallocate, object: object, thread: 0))
    }
    return make(steps, threads: 2)
  }
}
