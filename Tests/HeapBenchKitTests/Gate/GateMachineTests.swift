import Testing

@testable import HeapBenchKit

/// Which figures are compared between two processors.
@Suite struct GateMachineTests {
  private static let baseline = GateMachine(traits: [.processor: "avx avx2 avx512f rtm sse4_2"])
  private static let withoutRTM = GateMachine(traits: [.processor: "avx avx2 sse4_2"])
  private static let withoutAVX2 = GateMachine(traits: [.processor: "avx rtm sse4_2"])

  @Test func valgrindHidesFeatures() {
    #expect(
      Self.baseline[.emulatedProcessor] == "sse4_2 avx avx2".split(separator: " ").sorted().joined(separator: " "))
    #expect(Self.withoutRTM.differences(from: Self.baseline, in: [.emulatedProcessor]).isEmpty)
    #expect(Self.withoutAVX2.differences(from: Self.baseline, in: [.emulatedProcessor]) == [.emulatedProcessor])
    #expect(Self.withoutRTM.differences(from: Self.baseline, in: [.processor]) == [.processor])
  }

  /// Without RTM every count is compared; without AVX2 all but those of callgrind are.
  @Test func countsDependOnNoFeatureThatTheyDoNotUse() throws {
    let catalog = GateCatalog(workloads: try WorkloadCatalog(folder: WorkloadFiles.benchmarks.path))
    for figure in catalog.figures where !figure.isTime {
      #expect(Self.withoutRTM.differences(from: Self.baseline, in: figure.traits).isEmpty, "\(figure.name)")
      let isByCallgrind = figure.name.hasPrefix("instructions/") || figure.name.hasSuffix("instructions-added")
      let differs = !Self.withoutAVX2.differences(from: Self.baseline, in: figure.traits).isEmpty
      #expect(differs == isByCallgrind, "\(figure.name)")
    }
  }
}
