extension Workload {
  /// A number that tells different workloads apart: 64-bit FNV-1a over the number of threads and every step.
  ///
  /// The same profile, seed and scale have the same digest on every machine: equal digests show that two runs took the
  /// same steps.
  /// - Complexity: O(*n*) for *n* steps.
  public var digest: UInt64 {
    var hash = FNV1a()
    hash.add(UInt64(threadCount), byteCount: 8)
    for step in steps {
      hash.add(UInt64(step.kind.rawValue), byteCount: 1)
      hash.add(UInt64(step.alignmentLog2), byteCount: 1)
      hash.add(UInt64(step.thread), byteCount: 2)
      hash.add(UInt64(step.object), byteCount: 4)
      hash.add(step.amount, byteCount: 8)
    }
    return hash.value
  }

  /// The first `stepCount` steps as a workload, or all of them if there are fewer.
  public func prefix(_ stepCount: Int) -> Workload {
    guard stepCount < steps.count else { return self }
    let steps = ContiguousArray(steps.prefix(stepCount))
    let objectCount = steps.count { $0.kind == .allocate || $0.kind == .allocateZeroed }
    return Workload(
      name: name, summary: summary, threadCount: threadCount, objectCount: objectCount, steps: steps)
  }
}

/// The 64-bit FNV-1a hash (Fowler, Noll and Vo): not cryptographic, but the same everywhere.
private struct FNV1a {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  /// Hashes the low `byteCount` bytes of `number`, the lowest first.
  mutating func add(_ number: UInt64, byteCount: UInt64) {
    for index in 0..<byteCount {
      value = (value ^ (number >> (8 * index) & 0xFF)) &* 0x100_0000_01B3
    }
  }
}
