import Foundation
import HeapBenchKit
import Testing

@Suite struct WorkloadCatalogTests {
  static let home: [String: [UInt8]] = [
    "lab/Benchmarks/Profiles/beta.yaml": [], "lab/Benchmarks/Profiles/alpha.yaml": [],
    "lab/Benchmarks/Profiles/README.md": [], "lab/Benchmarks/Profiles/.hidden.yaml": [],
    "lab/Benchmarks/Traces/alpha.hltrace": [], "lab/Benchmarks/Traces/gamma.hltrace": [],
    "lab/deep/down/x": [], "elsewhere/x": [],
  ]

  /// The folder of the catalog that is found from these places in ``home``.
  static func found(in root: String, _ variable: String?, _ current: String, _ executable: String?) throws -> String {
    let catalog = try WorkloadCatalog.find(
      environment: variable.map { ["HEAPBENCH_HOME": root + $0] } ?? [:], currentFolder: root + current,
      executable: executable.map { root + $0 })
    return String(catalog.folder.dropFirst(root.count))
  }

  @Test func everythingIsListedByKindAndName() throws {
    try WorkloadFiles.withFolder(Self.home) { root throws in
      let catalog = try WorkloadCatalog(folder: root + "/lab/Benchmarks")
      #expect(catalog.sources.map(\.name) == ["alpha", "beta", "alpha", "gamma"])
      #expect(catalog.sources.map(\.kind) == [.profile, .profile, .trace, .trace])
    }
  }

  @Test func theEnvironmentThenTheCurrentFolderThenTheExecutableDecide() throws {
    try WorkloadFiles.withFolder(Self.home) { root throws in
      #expect(try Self.found(in: root, "/lab", "/elsewhere", nil) == "/lab/Benchmarks")
      #expect(try Self.found(in: root, "/lab/Benchmarks", "/elsewhere", nil) == "/lab/Benchmarks")
      #expect(try Self.found(in: root, nil, "/lab", nil) == "/lab/Benchmarks")
      #expect(try Self.found(in: root, nil, "/lab/deep/down", nil) == "/lab/Benchmarks")
      #expect(try Self.found(in: root, nil, "/elsewhere", "/lab/deep/down/x") == "/lab/Benchmarks")
    }
  }

  @Test func aPlaceWithoutWorkloadsIsNamed() throws {
    try WorkloadFiles.withFolder(Self.home) { root throws in
      #expect(throws: WorkloadCatalogError.noHome(root + "/elsewhere")) {
        try Self.found(in: root, "/elsewhere", "/lab", nil)
      }
      #expect(throws: WorkloadCatalogError.notFound) { try Self.found(in: root, nil, "/elsewhere", nil) }
    }
    #expect(
      WorkloadCatalogError.noHome("/x").description
        == "folder '/x' holds no Profiles and no Traces; set HEAPBENCH_HOME to heaplab's folder")
    #expect(
      WorkloadCatalogError.notFound.description
        == "no profiles and traces found; run heapbench in heaplab's folder, or set HEAPBENCH_HOME to it")
  }

  @Test func aNameOrAPathMeansASource() throws {
    try WorkloadFiles.withFolder(Self.home) { root throws in
      let catalog = try WorkloadCatalog(folder: root + "/lab/Benchmarks")
      #expect(try catalog.source(named: "alpha").kind == .profile)
      #expect(try catalog.source(named: "alpha", kind: .trace).kind == .trace)
      #expect(try catalog.source(named: "gamma").path == root + "/lab/Benchmarks/Traces/gamma.hltrace")
      #expect(try catalog.source(named: "/tmp/my.yaml") == WorkloadSource(kind: .profile, path: "/tmp/my.yaml"))
      #expect(try catalog.source(named: "my.hltrace") == WorkloadSource(kind: .trace, path: "my.hltrace"))
      #expect(try catalog.source(named: "./mine", kind: .trace) == WorkloadSource(kind: .trace, path: "./mine"))
    }
  }

  @Test(
    arguments: [
      ("alpa", nil, "no profile or trace is called 'alpa'; did you mean 'alpha'?"),
      ("gam", nil, "no profile or trace is called 'gam'; did you mean 'gamma'?"),
      ("xyz", .profile, "no profile is called 'xyz'; there are alpha, beta"),
      ("bta", .trace, "no trace is called 'bta'; there are alpha, gamma"),
    ] as [(String, WorkloadSource.Kind?, String)]) func anUnknownNameGetsASuggestion(
      _ name: String, kind: WorkloadSource.Kind?, message: String
    ) throws
  {
    try WorkloadFiles.withFolder(Self.home) { root throws in
      let catalog = try WorkloadCatalog(folder: root + "/lab/Benchmarks")
      #expect { try catalog.source(named: name, kind: kind) } throws: { "\($0)" == message }
    }
  }

  @Test func aTraceIsCutToItsScaleAndAProfileIsScaled() throws {
    let catalog = try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path)
    let trace = try catalog.source(named: "sqlite-oltp").workload(seed: 0, scale: 0.01)
    #expect(trace.steps.count == 4323)
    #expect(brokenPromise(of: trace) == nil)
    let profile = try catalog.source(named: "knuth-uniform").workload(seed: 0, scale: 0.01)
    #expect(profile.objectCount == 2500)
    #expect(try catalog.source(named: "perl-hash").summary().hasPrefix("Perl 5.36, hash of arrays"))
    #expect(try catalog.source(named: "sawtooth").summary().hasPrefix("Any program that builds up"))
  }
}
