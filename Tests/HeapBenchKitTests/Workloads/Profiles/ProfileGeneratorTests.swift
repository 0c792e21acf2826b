import HeapBenchKit
import Testing

@Suite struct ProfileGeneratorTests {
  /// A workload with one population in one phase.
  static func workload(
    _ population: Profile.Population, requests: UInt64 = 20_000, live: UInt64 = 200_000, threads: Int = 1,
    seed: UInt64 = 1, scale: Double = 1
  ) -> Workload {
    let phase = Profile.Phase(name: "run", requestCount: requests, shares: [1], liveByteCounts: [live])
    let profile = Profile(
      name: "test", summary: "a test", threadCount: threads,
      behaviour: .phases(populations: [population], phases: [phase], repetitions: 1))
    return ProfileGenerator.workload(of: profile, seed: seed, scale: scale)
  }

  static let lifetimes: [LifetimeDistribution] = [
    .exponential, .bimodal(shortShare: 0.9, shortMean: 20),
    .generational(generations: 3, survival: 0.2, factor: 10), .lifo, .fifo,
  ]

  @Test(arguments: lifetimes, [1, 3]) func theLiveBytesComeToTheTargetAndStay(
    _ lifetimes: LifetimeDistribution, threads: Int
  ) {
    let population = Profile.Population(name: "p", sizes: .uniform(10...190), lifetimes: lifetimes)
    let workload = Self.workload(population, threads: threads)
    #expect(brokenPromise(of: workload) == nil)
    let statistics = WorkloadStatistics(of: workload)
    #expect(statistics.allocationCount == 20_000)
    // Each thread keeps at most its share, and less than one object less.
    #expect(statistics.endLiveByteCount <= 200_000)
    #expect(statistics.endLiveByteCount > 200_000 - UInt64(threads) * 190)
    // An object is allocated before others die.
    #expect(statistics.peakLiveByteCount <= 200_000 + 190)
    #expect(statistics.activeThreadCount == threads)
  }

  @Test func meanLifetimesAreWhatLittlesLawAsksFor() {
    let population = Profile.Population(name: "p", sizes: .fixed(100), lifetimes: .exponential)
    let statistics = WorkloadStatistics(of: Self.workload(population))
    // 2000 of 20,000 objects are live at a time. Those that are live at the end, the longer-lived ones, do not count.
    #expect(abs(statistics.lifetimes.mean - 2000) < 200)
  }

  @Test func aQueueFreesTheOldestAndAStackTheNewest() {
    let fifo = Self.workload(Profile.Population(name: "p", sizes: .fixed(100), lifetimes: .fifo))
    let freed = fifo.steps.filter { $0.kind == .deallocate }.map(\.object)
    #expect(freed == Array(0..<UInt32(freed.count)))
    let wave = Profile.Wave(shape: .sawtooth, depth: 1, period: 50)
    let lifo = Self.workload(Profile.Population(name: "p", sizes: .fixed(100), lifetimes: .lifo, wave: wave))
    var stack: [UInt32] = []
    for step in lifo.steps {
      if step.kind == .allocate { stack.append(step.object) } else { #expect(stack.popLast() == step.object) }
    }
  }

  @Test(arguments: [0, 0.25, 1]) func theRemoteShareIsAsAsked(_ share: Double) {
    let population = Profile.Population(
      name: "p", sizes: .fixed(100), lifetimes: .exponential, remoteShare: share)
    let statistics = WorkloadStatistics(of: Self.workload(population, threads: 4))
    #expect(abs(statistics.remoteShare - share) < 0.02)
  }

  @Test func producersAllocateAndConsumersFree() {
    let population = Profile.Population(
      name: "p", sizes: .fixed(100), lifetimes: .fifo, allocatingThreads: 0...1, freeingThreads: 2...3)
    let workload = Self.workload(population, threads: 4)
    for step in workload.steps {
      #expect(step.kind == .allocate ? step.thread <= 1 : step.thread >= 2)
    }
    #expect(WorkloadStatistics(of: workload).activeThreadCount == 4)
  }

  @Test func zeroedAndAlignedSharesAreAsAsked() {
    let population = Profile.Population(
      name: "p", sizes: .fixed(100), lifetimes: .exponential, zeroedShare: 0.5,
      alignments: [.init(log2: 6, share: 0.2), .init(log2: 12, share: 0.1)])
    let workload = Self.workload(population)
    let statistics = WorkloadStatistics(of: workload)
    #expect(abs(statistics.alignedCount - 6000) < 300)
    #expect(abs(workload.steps.count { $0.alignmentLog2 == 12 } - 2000) < 200)
    // Half of the objects without an alignment: calloc cannot align.
    #expect(abs(statistics.zeroedCount - 7000) < 300)
    #expect(!workload.steps.contains { $0.kind == .allocateZeroed && $0.alignmentLog2 > 0 })
  }

  @Test func reallocationsTakeTheirShareAndGrowByTheirFactorUpToTheLimit() {
    let population = Profile.Population(
      name: "p", sizes: .fixed(16), lifetimes: .exponential,
      reallocation: .init(share: 0.3, factor: 2, limit: 1 << 20))
    let workload = Self.workload(population)
    #expect(brokenPromise(of: workload) == nil)
    #expect(abs(WorkloadStatistics(of: workload).reallocationCount - 6000) < 300)
    var sizes: [UInt32: UInt64] = [:]
    for step in workload.steps where step.kind != .deallocate {
      if step.kind == .reallocate { #expect(step.amount == 2 * (sizes[step.object] ?? 0)) }
      sizes[step.object] = step.amount
    }
    let limited = Profile.Population(
      name: "p", sizes: .fixed(16), lifetimes: .exponential, reallocation: .init(share: 0.9, factor: 2, limit: 64))
    #expect(Self.workload(limited).steps.allSatisfy { $0.amount <= 64 })
  }

  @Test func aPhaseThatWantsLessBeginsWithDeaths() {
    let population = Profile.Population(name: "p", sizes: .fixed(100), lifetimes: .exponential)
    let phases = [
      Profile.Phase(name: "up", requestCount: 3000, shares: [1], liveByteCounts: [200_000]),
      Profile.Phase(name: "down", requestCount: 1, shares: [1], liveByteCounts: [10_000]),
    ]
    let profile = Profile(
      name: "test", summary: "a test", behaviour: .phases(populations: [population], phases: phases, repetitions: 3))
    let workload = ProfileGenerator.workload(of: profile, seed: 5)
    #expect(brokenPromise(of: workload) == nil)
    let statistics = WorkloadStatistics(of: workload)
    #expect(statistics.allocationCount == 9003)
    #expect(statistics.endLiveByteCount == 10_000)
    #expect(statistics.peakLiveByteCount == 200_100)
  }

  @Test func aTriangleSwingsBetweenItsEnds() {
    let wave = Profile.Wave(shape: .triangle, depth: 0.5, period: 4000)
    let population = Profile.Population(name: "p", sizes: .fixed(100), lifetimes: .exponential, wave: wave)
    var live = 0
    var lives: [Int] = []
    for step in Self.workload(population, live: 100_000).steps {
      live += step.kind == .allocate ? 1 : -1
      lives.append(live)
    }
    let settled = lives.dropFirst(10_000)
    #expect((settled.min() ?? 0) < 520)
    #expect((settled.max() ?? 0) > 980)
    #expect((settled.max() ?? 0) <= 1001)
  }

  @Test func theScaleChangesRequestsAndLiveBytesButNotSizes() {
    let population = Profile.Population(name: "p", sizes: .uniform(10...190), lifetimes: .exponential)
    let statistics = WorkloadStatistics(of: Self.workload(population, scale: 0.1))
    #expect(statistics.allocationCount == 2000)
    #expect(abs(Int(statistics.endLiveByteCount) - 20_000) <= 190)
    #expect(abs(statistics.sizes.mean - 100) < 5)
  }

  @Test func theSameSeedGivesTheSameStepsAndAnotherGivesOthers() {
    let population = Profile.Population(name: "p", sizes: .uniform(10...190), lifetimes: .exponential)
    let first = Self.workload(population, seed: 7)
    #expect(first.steps == Self.workload(population, seed: 7).steps)
    #expect(first.steps != Self.workload(population, seed: 8).steps)
  }
}
