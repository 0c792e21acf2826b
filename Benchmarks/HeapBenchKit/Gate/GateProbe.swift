/// One measurement of the gate, and the figures that it yields. What there is to measure is known before anything is
/// measured, so that a figure that is missing is seen to be.
struct GateProbe: Sendable {
  /// What it measures, for the line of progress: the group, a colon and the rest.
  let name: String

  /// The figures, in the order of the numbers that `measure` gives.
  let figures: [GateFigure]

  /// Whether it must run while no other probe does, because the kernel or a clock counts what it counts.
  let isAlone: Bool

  /// Measures; throws what a person should know when it cannot.
  let measure: @Sendable (GateWorkbench) async throws -> [Double]

  init(
    _ name: String, _ figures: [GateFigure], isAlone: Bool = false,
    measure: @escaping @Sendable (GateWorkbench) async throws -> [Double]
  ) {
    self.name = name
    self.figures = figures
    self.isAlone = isAlone
    self.measure = measure
  }
}
