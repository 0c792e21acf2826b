/// Appends steps and numbers objects as `Workload` promises.
struct WorkloadBuilder {
  private(set) var steps: ContiguousArray<WorkloadStep> = []
  private(set) var objectCount: UInt32 = 0

  /// Allocates a new object and returns its number, which is the next one.
  mutating func allocate(
    byteCount: UInt64, alignmentLog2: UInt8 = 0, isZeroed: Bool = false, thread: UInt16 = 0
  ) -> UInt32 {
    let object = objectCount
    objectCount += 1
    steps.append(
      WorkloadStep(
        isZeroed ? .allocateZeroed : .allocate, object: object, amount: byteCount, alignmentLog2: alignmentLog2,
        thread: thread))
    return object
  }

  /// Resizes a live object.
  mutating func reallocate(_ object: UInt32, byteCount: UInt64, thread: UInt16 = 0) {
    steps.append(WorkloadStep(.reallocate, object: object, amount: byteCount, thread: thread))
  }

  /// Deallocates a live object.
  mutating func deallocate(_ object: UInt32, thread: UInt16 = 0) {
    steps.append(WorkloadStep(.deallocate, object: object, thread: thread))
  }
}
