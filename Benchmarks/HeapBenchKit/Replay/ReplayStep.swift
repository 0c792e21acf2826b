/// A workload's step, with everything that a replay needs to take it on any thread: 32 bytes.
///
/// Steps lie in memory that the measuring processes map. Both sides run the same executable and agree on the layout.
struct ReplayStep: Sendable {
  /// The requested bytes, or microseconds.
  var amount: UInt64
  /// The object's bytes before the step.
  var previousAmount: UInt64
  /// The object that the step concerns.
  var object: UInt32
  /// The number of earlier steps with the object, which must be taken first.
  var turn: UInt32
  /// The step's place in the global order.
  var position: UInt32
  /// The thread that takes the step.
  var thread: UInt16
  /// What the step does.
  var kind: WorkloadStep.Kind
  /// The requested alignment's logarithm to base 2; 0 for no alignment beyond malloc's own.
  var alignmentLog2: UInt8

  /// The alignment in bytes, at least malloc's 16.
  var alignment: UInt { 1 << UInt(max(alignmentLog2, 4)) }
}
