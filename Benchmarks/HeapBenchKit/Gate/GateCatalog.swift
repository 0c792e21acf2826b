/// Everything that the gate measures. A new figure takes one probe in a file of `Probes`, and one line here.
public struct GateCatalog: Sendable {
  /// The probes, in the order of the report.
  let probes: [GateProbe]

  /// The probes over these profiles and traces.
  public init(workloads: WorkloadCatalog) {
    probes =
      GateProbe.hotPaths + GateProbe.mallocPaths + GateProbe.pageTables + GateProbe.frames
      + GateProbe.layouts(of: workloads) + [GateProbe.start, .library] + GateProbe.programs + GateProbe.footprints
      + [.idleThreads] + GateProbe.ratios
  }

  /// These probes, for tests.
  init(probes: [GateProbe]) {
    self.probes = probes
  }

  /// All figures.
  public var figures: [GateFigure] { probes.flatMap(\.figures) }

  /// The policies whose hot paths and layouts the gate measures: those of the main job that receive their memory. It
  /// leaves out the plain list, the yardstick of first fit: a test shows that its layouts equal first fit's.
  static var policies: [Policy] { PolicyCatalog.all.filter { $0.isInMainJob && $0.receivesMemory } }
}
