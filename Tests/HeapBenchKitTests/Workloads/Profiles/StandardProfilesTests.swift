import Foundation
import HeapBenchKit
import Testing

@Suite struct StandardProfilesTests {
  /// Every profile's digest with seed 42 at a fiftieth of its size, the same on every machine. A change to a profile or
  /// to the generator changes digests. All earlier figures are then those of another workload.
  static let digests: [(String, UInt64)] = [
    ("browser-tabs", 0xC310_13F5_CAF1_CAE2),
    ("compiler", 0x870F_A49D_F295_85B0),
    ("game-frame", 0xCE64_CD3E_1547_75E2),
    ("image-pipeline", 0xBF1C_CA23_FA1E_E92B),
    ("in-memory-database", 0xDBC0_4539_FF0B_4316),
    ("interpreter", 0xE42C_5229_51F3_5E12),
    ("kernel-slab-mix", 0xC506_2D4E_BC21_98EE),
    ("knuth-uniform", 0x9117_73F9_6BC9_93A0),
    ("larson-server", 0x1284_C19B_E4AC_9411),
    ("message-queue", 0xE294_AE17_9776_5DF5),
    ("robson-first-fit", 0x49A3_2A85_BCF0_EF90),
    ("sawtooth", 0x2368_751C_BA5E_5F66),
    ("vector-growth", 0x28D7_3B3B_175C_AA29),
    ("web-server", 0x8495_F0CA_7D37_E139),
  ]

  static func path(_ name: String) -> String { WorkloadFiles.benchmarks.path + "/Profiles/\(name).yaml" }

  @Test(arguments: digests) func aProfileGivesItsStepsAndKeepsThePromises(_ name: String, digest: UInt64) throws {
    let profile = try Profile(path: Self.path(name))
    let workload = ProfileGenerator.workload(of: profile, seed: 42, scale: 0.02)
    #expect(brokenPromise(of: workload) == nil)
    #expect(workload.digest == digest, "found 0x\(String(workload.digest, radix: 16))")
    #expect(workload.summary == profile.summary)
    #expect(WorkloadStatistics(of: workload).activeThreadCount == profile.threadCount)
  }

  @Test func everyProfileIsHeldToItsDigest() throws {
    let catalog = try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path)
    #expect(catalog.sources.filter { $0.kind == .profile }.map(\.name) == Self.digests.map(\.0))
  }

  @Test func theExampleInTheReadmeIsAProfile() throws {
    let text = try String(contentsOf: WorkloadFiles.benchmarks.appending(path: "Profiles/README.md"), encoding: .utf8)
    let blocks = text.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    #expect(blocks.count == 2)
    let profile = try Profile(name: "example", yaml: blocks[0])
    #expect(brokenPromise(of: ProfileGenerator.workload(of: profile, seed: 1, scale: 0.01)) == nil)
    _ = try Profile(name: "example", yaml: "name: example\nsummary: s\n" + blocks[1])
  }
}
