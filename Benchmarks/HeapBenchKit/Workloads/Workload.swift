/// A program's requests to its allocator, step by step, in one global order: from a recorded trace or from a profile.
///
/// Objects are numbered from 0, without gaps, in the order of their allocation. A reallocated object keeps its number.
/// A step may name an object only after the step that allocates it, and never after the step that deallocates it.
public struct Workload: Sendable {
  /// The profile's or the trace's name.
  public let name: String

  /// One sentence on whose behaviour this is.
  public let summary: String

  /// The number of threads that take the steps; threads are numbered from 0.
  public let threadCount: Int

  /// The number of objects that the steps allocate.
  public let objectCount: Int

  /// The steps in global order; each thread takes its own steps in this order.
  public let steps: ContiguousArray<WorkloadStep>

  /// A workload of these steps, which must keep the promises above.
  public init(
    name: String, summary: String, threadCount: Int, objectCount: Int, steps: ContiguousArray<WorkloadStep>
  ) {
    self.name = name
    self.summary = summary
    self.threadCount = threadCount
    self.objectCount = objectCount
    self.steps = steps
  }
}

/// One step of a workload, in 16 bytes: millions of them stream through the cache.
public struct WorkloadStep: Hashable, Sendable {
  /// What a step does.
  public enum Kind: UInt8, Sendable {
    /// Allocates `object` with `amount` bytes.
    case allocate
    /// Allocates `object` with `amount` bytes, all zero.
    case allocateZeroed
    /// Resizes `object` to `amount` bytes and keeps its content.
    case reallocate
    /// Deallocates `object`.
    case deallocate
    /// `amount` microseconds pass without a request.
    case pause
  }

  /// What the step does.
  public var kind: Kind
  /// The requested alignment's logarithm to base 2; 0 for no alignment beyond malloc's own.
  public var alignmentLog2: UInt8
  /// The thread that takes the step.
  public var thread: UInt16
  /// The object that the step concerns; 0 for a pause.
  public var object: UInt32
  /// The requested bytes, or microseconds.
  public var amount: UInt64

  /// A step of this kind.
  public init(
    _ kind: Kind, object: UInt32 = 0, amount: UInt64 = 0, alignmentLog2: UInt8 = 0, thread: UInt16 = 0
  ) {
    self.kind = kind
    self.alignmentLog2 = alignmentLog2
    self.thread = thread
    self.object = object
    self.amount = amount
  }
}
