/// A run through a profile's phases.
struct PhasedRun {
  /// The steps so far.
  private(set) var builder = WorkloadBuilder()

  private let profile: Profile
  private let scale: Double
  private let kinds: [Kind]
  private var random: ReproducibleRandom

  /// The live objects of each population by the thread that allocated them, from the population's first thread.
  private var live: [[LivePopulation]]
  /// The bytes of each population that each of its threads should keep live.
  private var wanted: [Double]

  /// The thread whose turn it is, and how many more requests it makes.
  private var thread = 0
  private var turnLeft = 0

  /// A population's parameters, ready to draw from.
  private struct Kind {
    let parameters: Profile.Population
    let sizes: SizeSampler
    let lifetimes: LifetimeSampler
    /// The threads that allocate the population's objects.
    let threads: ClosedRange<Int>
  }

  /// A run at the start of `profile`.
  init(_ profile: Profile, _ populations: [Profile.Population], seed: UInt64, scale: Double) {
    self.profile = profile
    self.scale = scale
    random = ReproducibleRandom(seed: seed)
    kinds = populations.map { population in
      Kind(
        parameters: population, sizes: SizeSampler(population.sizes),
        lifetimes: LifetimeSampler(population.lifetimes),
        threads: population.allocatingThreads ?? 0...profile.threadCount - 1)
    }
    live = kinds.map { Array(repeating: LivePopulation(), count: $0.threads.count) }
    wanted = Array(repeating: 0, count: kinds.count)
  }

  /// Plays a phase: surplus objects die, then the requests follow.
  mutating func play(_ phase: Profile.Phase) {
    for index in kinds.indices {
      if let byteCount = phase.liveByteCounts[index] {
        wanted[index] = Double(byteCount) * scale / Double(kinds[index].threads.count)
      }
      for slot in live[index].indices {
        trim(index, slot, to: wanted[index])
      }
    }
    let choice = WeightedChoice(phase.shares)
    for _ in 0..<max(1, UInt64((Double(phase.requestCount) * scale).rounded())) {
      request(of: choice.index(using: &random))
    }
  }

  /// Makes one request of a population, and lets objects die until the live bytes fit again.
  private mutating func request(of index: Int) {
    let slot = nextThread(of: index) - kinds[index].threads.lowerBound
    if !resizes(index, slot) { allocate(index, slot) }
    trim(index, slot, to: wantedNow(index, slot))
  }

  /// The thread of the next request: the one whose turn it is if it makes such requests, else a random one that does.
  private mutating func nextThread(of index: Int) -> Int {
    if turnLeft == 0 {
      thread = random.index(below: profile.threadCount)
      // A turn has 1 to 2 · mean − 1 requests: long enough to use memory that the thread freed, and never in step.
      turnLeft = 1 + random.index(below: 2 * profile.turnLength - 1)
    }
    turnLeft -= 1
    let threads = kinds[index].threads
    return threads.contains(thread) ? thread : threads.lowerBound + random.index(below: threads.count)
  }

  private mutating func allocate(_ index: Int, _ slot: Int) {
    let kind = kinds[index]
    let byteCount = kind.sizes.sample(using: &random)
    let alignmentLog2 = alignment(of: kind.parameters)
    let isZeroed = alignmentLog2 == 0 && random.chance(kind.parameters.zeroedShare)
    let deathKey = kind.lifetimes.deathKey(
      bornAt: live[index][slot].clock, mean: wanted[index] / kind.sizes.mean, using: &random)
    let object = builder.allocate(
      byteCount: byteCount, alignmentLog2: alignmentLog2, isZeroed: isZeroed,
      thread: UInt16(kind.threads.lowerBound + slot))
    live[index][slot].insert(LivePopulation.Entry(deathKey: deathKey, object: object, byteCount: byteCount))
  }

  private mutating func alignment(of population: Profile.Population) -> UInt8 {
    guard !population.alignments.isEmpty else { return 0 }
    var rest = random.unit()
    for alignment in population.alignments {
      rest -= alignment.share
      if rest < 0 { return alignment.log2 }
    }
    return 0
  }

  /// Resizes a live object if this request should resize one and an object can be resized.
  private mutating func resizes(_ index: Int, _ slot: Int) -> Bool {
    guard let reallocation = kinds[index].parameters.reallocation, random.chance(reallocation.share),
      !live[index][slot].isEmpty
    else { return false }
    let position = random.index(below: live[index][slot].count)
    let entry = live[index][slot][position]
    let byteCount = UInt64(max(1, (Double(entry.byteCount) * reallocation.factor).rounded()))
    guard byteCount <= reallocation.limit, byteCount != entry.byteCount else { return false }
    builder.reallocate(entry.object, byteCount: byteCount, thread: UInt16(kinds[index].threads.lowerBound + slot))
    live[index][slot].resize(at: position, to: byteCount)
    return true
  }

  /// The bytes that a thread should keep live at this point of the wave.
  private func wantedNow(_ index: Int, _ slot: Int) -> Double {
    guard let wave = kinds[index].parameters.wave else { return wanted[index] }
    // The scale and the number of threads change the live set; the wave's period keeps its proportion to it.
    let period = max(2, UInt64((Double(wave.period) * scale / Double(live[index].count)).rounded()))
    let position = live[index][slot].clock % period
    let low = 1 - wave.depth
    switch wave.shape {
    case .sawtooth: return position == 0 ? wanted[index] * low : wanted[index]
    case .triangle:
      let phase = 2 * Double(position) / Double(period)
      return wanted[index] * (low + wave.depth * (phase < 1 ? phase : 2 - phase))
    }
  }

  /// Lets objects die in their order until at most `wanted` bytes are live.
  private mutating func trim(_ index: Int, _ slot: Int, to wanted: Double) {
    while Double(live[index][slot].byteCount) > wanted {
      let entry = live[index][slot].removeFirst()
      builder.deallocate(entry.object, thread: UInt16(freeingThread(index, slot)))
    }
  }

  /// The thread that frees an object that the thread in `slot` allocated.
  private mutating func freeingThread(_ index: Int, _ slot: Int) -> Int {
    let parameters = kinds[index].parameters
    let owner = kinds[index].threads.lowerBound + slot
    if let threads = parameters.freeingThreads {
      return threads.lowerBound + random.index(below: threads.count)
    }
    guard random.chance(parameters.remoteShare) else { return owner }
    return (owner + 1 + random.index(below: profile.threadCount - 1)) % profile.threadCount
  }
}
