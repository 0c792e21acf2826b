import HeapBenchKit
import Testing

@Suite struct ProfileYAMLTests {
  @Test func everyKeyIsRead() throws {
    let profile = try Profile(
      name: "full",
      yaml: """
        name: full
        summary: Everything there is
        threads: 4
        turn: 10
        repeat: 2
        populations:
          a:
            sizes: {uniform: {min: 8, max: 4 KiB}}
            lifetimes: exponential
            remote: 0.5
            zeroed: 0.25
            alignments: {64: 0.5, 4 KiB: 0.125}
            reallocation: {share: 0.1, factor: 1.5, max: 1 MiB}
            wave: {shape: sawtooth, depth: 1, every: 500}
          b:
            sizes:
              histogram:
                16: 0.75
                17-32: 0.25
            lifetimes: {bimodal: {shortShare: 0.9, shortMean: 20}}
            allocatedBy: 0-1
            freedBy: 3
        phases:
          - name: one
            requests: 1_000
            shares: {a: 0.5, b: 0.5}
            live: {a: 1.5 MiB, b: 64 KiB}
          - name: two
            requests: 5
            shares: {b: 1}
            live: {a: 0}
        """)
    let a = Profile.Population(
      name: "a", sizes: .uniform(8...4096), lifetimes: .exponential, remoteShare: 0.5, zeroedShare: 0.25,
      alignments: [.init(log2: 6, share: 0.5), .init(log2: 12, share: 0.125)],
      reallocation: .init(share: 0.1, factor: 1.5, limit: 1 << 20),
      wave: .init(shape: .sawtooth, depth: 1, period: 500))
    let b = Profile.Population(
      name: "b", sizes: .histogram([.init(sizes: 16...16, share: 0.75), .init(sizes: 17...32, share: 0.25)]),
      lifetimes: .bimodal(shortShare: 0.9, shortMean: 20), allocatingThreads: 0...1, freeingThreads: 3...3)
    let expected = Profile(
      name: "full", summary: "Everything there is", threadCount: 4, turnLength: 10,
      behaviour: .phases(
        populations: [a, b],
        phases: [
          .init(name: "one", requestCount: 1000, shares: [0.5, 0.5], liveByteCounts: [3 << 19, 64 << 10]),
          .init(name: "two", requestCount: 5, shares: [0, 1], liveByteCounts: [0, nil]),
        ], repetitions: 2))
    #expect(profile == expected)
  }

  @Test(arguments: [
    ("fixed: 64", SizeDistribution.fixed(64)),
    ("fixed: 64 B", .fixed(64)),
    (
      "logNormal: {median: 64, sigma: 1.5, min: 1, max: 1 GiB}", .logNormal(median: 64, sigma: 1.5, limits: 1...1 << 30)
    ),
    ("zipf: {min: 16, max: 256, step: 16, exponent: 1}", .zipf(limits: 16...256, step: 16, exponent: 1)),
  ]) func sizesAreRead(_ text: String, _ expected: SizeDistribution) throws {
    #expect(try Self.population("sizes: {\(text)}\n    lifetimes: fifo").sizes == expected)
  }

  @Test(arguments: [
    ("lifo", LifetimeDistribution.lifo), ("fifo", .fifo), ("exponential", .exponential),
    (
      "{generational: {generations: 3, survival: 0.2, factor: 10}}",
      .generational(generations: 3, survival: 0.2, factor: 10)
    ),
  ]) func lifetimesAreRead(_ text: String, _ expected: LifetimeDistribution) throws {
    #expect(try Self.population("sizes: {fixed: 8}\n    lifetimes: \(text)").lifetimes == expected)
  }

  @Test func anAdversaryIsRead() throws {
    let profile = try Profile(
      name: "r", yaml: "name: r\nsummary: s\nadversary:\n  robson: {live: 1 MiB, unit: 64, max: 4 KiB}")
    #expect(profile.behaviour == .adversary(.robson(liveByteCount: 1 << 20, unit: 64, limit: 4096)))
    #expect(profile.threadCount == 1)
  }

  /// The only population of a profile, read from this YAML.
  static func population(_ text: String) throws -> Profile.Population {
    let profile = try Profile(
      name: "p",
      yaml: """
        name: p
        summary: s
        populations:
          a:
            \(text)
        phases: [{name: x, requests: 1, live: {a: 1}}]
        """)
    guard case .phases(let populations, _, _) = profile.behaviour else { throw Missing() }
    return populations[0]
  }

  struct Missing: Error {}
}
