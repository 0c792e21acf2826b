/// One measurement of the gate, and its figures. The figures are listed before anything is measured, so a missing one
/// shows.
struct GateProbe: Sendable {
  /// What the probe measures, for the progress line: the group, a colon and the rest.
  let name: String

  /// The figures, in the order of the numbers that `measure` returns.
  let figures: [GateFigure]

  /// Whether no other probe may run at the same time: other work would change what the kernel or the clock counts.
  let isAlone: Bool

  /// Measures the figures. Throws an error whose description is for the user.
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
