/// What a workload requests; this does not depend on an allocator.
///
/// Lifetimes are counted in allocations of the whole program: a lifetime of 1 means that nothing was allocated between
/// an object's allocation and its end.
public struct WorkloadStatistics: Hashable, Sendable {
  /// The steps that allocate, including those of zeroed bytes.
  public private(set) var allocationCount = 0
  /// The allocations of zeroed bytes.
  public private(set) var zeroedCount = 0
  /// The allocations with an alignment.
  public private(set) var alignedCount = 0
  /// The steps that resize.
  public private(set) var reallocationCount = 0
  /// The steps that deallocate.
  public private(set) var deallocationCount = 0
  /// The deallocations by a thread other than the allocating one.
  public private(set) var remoteDeallocationCount = 0
  /// The number of threads that take a step.
  public private(set) var activeThreadCount = 0
  /// The microseconds that pass without a request.
  public private(set) var pauseMicroseconds: UInt64 = 0

  /// The bytes of all allocations and the new sizes of all reallocations.
  public private(set) var requestedByteCount: UInt64 = 0
  /// The most bytes live at once.
  public private(set) var peakLiveByteCount: UInt64 = 0
  /// The most objects live at once.
  public private(set) var peakLiveObjectCount = 0
  /// The bytes live after the last step.
  public private(set) var endLiveByteCount: UInt64 = 0
  /// The objects live after the last step.
  public private(set) var endLiveObjectCount = 0

  /// The sizes of allocations and the new sizes of reallocations.
  public private(set) var sizes = PowerHistogram()
  /// The lifetimes of the objects that were deallocated.
  public private(set) var lifetimes = PowerHistogram()

  /// The share of deallocations by a thread other than the allocating one; 0 without deallocations.
  public var remoteShare: Double {
    deallocationCount == 0 ? 0 : Double(remoteDeallocationCount) / Double(deallocationCount)
  }

  /// The figures of `workload`.
  ///
  /// - Complexity: O(*n*) for *n* steps.
  public init(of workload: Workload) {
    struct Object {
      var byteCount: UInt64
      let birth: Int
      let thread: UInt16
    }
    var objects: ContiguousArray<Object> = []
    objects.reserveCapacity(workload.objectCount)
    var isActive = Array(repeating: false, count: workload.threadCount)
    for step in workload.steps {
      isActive[Int(step.thread)] = true
      switch step.kind {
      case .allocate, .allocateZeroed:
        allocationCount += 1
        if step.kind == .allocateZeroed { zeroedCount += 1 }
        if step.alignmentLog2 > 0 { alignedCount += 1 }
        objects.append(Object(byteCount: step.amount, birth: allocationCount, thread: step.thread))
        endLiveObjectCount += 1
        request(step.amount)
      case .reallocate:
        reallocationCount += 1
        endLiveByteCount -= objects[Int(step.object)].byteCount
        objects[Int(step.object)].byteCount = step.amount
        request(step.amount)
      case .deallocate:
        deallocationCount += 1
        let object = objects[Int(step.object)]
        if object.thread != step.thread { remoteDeallocationCount += 1 }
        lifetimes.add(UInt64(allocationCount - object.birth + 1))
        endLiveByteCount -= object.byteCount
        endLiveObjectCount -= 1
      case .pause:
        pauseMicroseconds += step.amount
      }
      peakLiveByteCount = max(peakLiveByteCount, endLiveByteCount)
      peakLiveObjectCount = max(peakLiveObjectCount, endLiveObjectCount)
    }
    activeThreadCount = isActive.count { $0 }
  }

  private mutating func request(_ byteCount: UInt64) {
    requestedByteCount += byteCount
    endLiveByteCount += byteCount
    sizes.add(byteCount)
  }
}

/// A histogram by powers of two: bin 0 counts zeros, bin *k* the numbers in 2^(*k*−1) ..< 2^*k*.
public struct PowerHistogram: Hashable, Sendable {
  /// The counts of the bins.
  public private(set) var counts = Array(repeating: 0, count: 65)
  /// The count of all numbers.
  public private(set) var count = 0
  /// The sum of all numbers, to 53 bits.
  public private(set) var sum = 0.0

  /// The mean of all numbers; 0 without numbers.
  public var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// The bins that are not empty, with the range of their numbers and their count, the lowest first.
  public var bins: [(numbers: ClosedRange<UInt64>, count: Int)] {
    counts.indices.filter { counts[$0] > 0 }.map { (Self.numbers(of: $0), counts[$0]) }
  }

  /// The highest number of the bin with the `share`-quantile: an upper bound that is less than twice the quantile; nil
  /// without numbers.
  public func quantileBound(_ share: Double) -> UInt64? {
    let rank = Int((share * Double(count)).rounded(.up))
    var passed = 0
    for (bin, binCount) in counts.enumerated() where binCount > 0 {
      passed += binCount
      if passed >= rank { return Self.numbers(of: bin).upperBound }
    }
    return nil
  }

  mutating func add(_ number: UInt64) {
    counts[UInt64.bitWidth - number.leadingZeroBitCount] += 1
    count += 1
    sum += Double(number)
  }

  private static func numbers(of bin: Int) -> ClosedRange<UInt64> {
    bin == 0 ? 0...0 : (1 << UInt64(bin - 1))...(UInt64.max >> UInt64(64 - bin))
  }
}
