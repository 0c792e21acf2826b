/// A workload's step with what a replay must know to take it on any thread, without looking anything up: 32 bytes.
///
/// Steps lie in memory that the measuring processes map, so the layout is that of the same executable on both sides.
struct ReplayStep: Sendable {
  /// Bytes asked for, or microseconds.
  var amount: UInt64
  /// The object's bytes before the step.
  var previousAmount: UInt64
  /// The object it concerns.
  var object: UInt32
  /// How many earlier steps concern the object: the step must wait until so many are taken.
  var turn: UInt32
  /// The step's place in the global order.
  var position: UInt32
  /// Who takes the step.
  var thread: UInt16
  /// What the step does.
  var kind: WorkloadStep.Kind
  /// The alignment asked for as a power of two; 0 asks for none beyond malloc's own.
  var alignmentLog2: UInt8

  /// The alignment in bytes, at least malloc's 16.
  var alignment: UInt { 1 << UInt(max(alignmentLog2, 4)) }
}
