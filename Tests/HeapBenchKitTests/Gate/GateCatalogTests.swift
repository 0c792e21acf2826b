import Testing

@testable import HeapBenchKit

/// What the gate measures.
@Suite struct GateCatalogTests {
  private static func catalog() throws -> GateCatalog {
    GateCatalog(workloads: try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path))
  }

  @Test func everyFigureHasANameOfItsOwn() throws {
    let names = try Self.catalog().figures.map(\.name)
    #expect(names.count == Set(names).count)
    #expect(names.allSatisfy { name in name.allSatisfy { $0.isLetter || $0.isNumber || "-./".contains($0) } })
  }

  @Test func everyPolicyAndWorkloadIsHeld() throws {
    let names = Set(try Self.catalog().figures.map(\.name))
    let workloads = try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path)
    for policy in ["general", "firstfit", "buddy"] {
      for source in workloads.sources { #expect(names.contains("layout/\(policy)/\(source.name)/peak-heap-bytes")) }
      for workload in HotPathWorkload.allCases {
        #expect(names.contains("instructions/\(policy)/\(workload.rawValue)"))
      }
    }
  }

  /// Times and the kernel's counts are never exact. A figure without a tolerance depends on no machine.
  @Test func tolerancesFitWhatIsMeasured() throws {
    for figure in try Self.catalog().figures {
      if figure.name.hasPrefix("layout/") { #expect(figure.tolerance == .exact && figure.traits.isEmpty) }
      if figure.name.hasPrefix("ratio/") {
        let isBoundByCaches = figure.name.hasPrefix("ratio/firstfit-to-list/")
        #expect(figure.tolerance.share >= 0.5 && figure.traits == (isBoundByCaches ? [.build, .processor] : [.build]))
      }
      // A hot path that is 5 % longer must fail the gate.
      if figure.name.hasPrefix("instructions/"), !figure.name.hasSuffix("remote-frees") {
        #expect(figure.tolerance.share < 0.05 && figure.traits.contains(.compiler))
      }
    }
  }

  @Test(arguments: HotPathWorkload.allCases) func hotPathsEndAsTheyStart(workload: HotPathWorkload) throws {
    var isLive = [Bool](repeating: false, count: HotPathWorkload.slotCount)
    for step in workload.steps {
      #expect(isLive[step.slot] == (step.kind != .allocate))
      isLive[step.slot] = step.kind != .deallocate
    }
    #expect(!isLive.contains(true))
    #expect(workload.steps.count >= HotPathWorkload.stepCount)
  }

  @Test(arguments: GateCatalog.policies.map(\.name)) func hotPathsRun(policy: String) throws {
    for workload in HotPathWorkload.allCases { try HotPathProcess.perform(workload.rawValue, policy: policy) }
  }

  @Test func aToolThatIsMissingIsNamedWithItsPackage() {
    #expect(throws: GateObstacle("no-such-tool is not installed: apt-get install some-package")) {
      try GateWorkbench.tool("no-such-tool", package: "some-package")
    }
  }

  @Test func aProductThatIsMissingIsNamedWithTheWayToBuildIt() throws {
    let line = "no-such.so is not beside heapbench; build it: swift build -c release --product heaplab"
    #expect(throws: GateObstacle(line)) { try GateWorkbench().built("no-such.so", product: "heaplab") }
  }

  @Test func programsSayWhatTheyFailedOf() async throws {
    let workbench = try GateWorkbench()
    await #expect(throws: GateObstacle("/bin/sh -c echo no more >&2; exit 3 failed: no more")) {
      try await workbench.output(of: "/bin/sh", ["-c", "echo no more >&2; exit 3"])
    }
  }
}
