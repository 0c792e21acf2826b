/// What a program asked of its allocator, step by step, in one global order: a recorded trace or a profile's output.
///
/// Objects are numbered densely from 0 in the order of their allocation; a reallocated object keeps its number.
/// A step may name an object only after the step that allocates it, and never after the one that deallocates it.
public struct Workload: Sendable {
  /// The profile's or the trace's name.
  public let name: String

  /// One sentence on whose behaviour this is.
  public let summary: String

  /// How many threads take the steps, numbered from 0.
  public let threadCount: Int

  /// How many objects the steps allocate.
  public let objectCount: Int

  /// The steps in global order; each thread takes its own in this order.
  public let steps: ContiguousArray<WorkloadStep>

  /// A workload whose steps keep the promises above.
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

/// One step of a workload: 16 bytes, so that millions of them stream through the cache.
public struct WorkloadStep: Hashable, Sendable {
  /// What a step does.
  public enum Kind: UInt8, Sendable {
    /// Allocates `object` with `amount` bytes.
    case allocate
    /// Allocates `object` with `amount` bytes, all zero.
    case allocateZeroed
    /// Resizes `object` to `amount` bytes, keeping its content.
    case reallocate
    /// Deallocates `object`.
    case deallocate
    /// `amount` microseconds pass without a request.
    case pause
  }

  /// What the step does.
  public var kind: Kind
  /// The alignment asked for as a power of two; 0 asks for none beyond malloc's own.
  public var alignmentLog2: UInt8
  /// Who takes the step.
  public var thread: UInt16
  /// The object it concerns; 0 for a pause.
  public var object: UInt32
  /// Bytes asked for, or microseconds.
  public var amount: UInt64

  /// A step.
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
