/// In which order a population's objects die.
///
/// How long they live on average follows from the live bytes that a phase asks for (Little's law); this is the shape.
public enum LifetimeDistribution: Hashable, Sendable {
  /// Every object is as likely to die next as any other, however old: mean lifetimes follow one exponential.
  case exponential

  /// A `shortShare` of the objects live `shortMean` allocations of their population on average, the others long.
  case bimodal(shortShare: Double, shortMean: Double)

  /// Objects that survive a generation live `factor` times as long: a mixture of exponentials, of which the *k*-th has
  /// the probability ∝ `survival`^*k* and a mean ∝ `factor`^*k*. Most die young, and the longer one lives, the
  /// longer it will.
  case generational(generations: Int, survival: Double, factor: Double)

  /// The newest object dies first, as on a stack.
  case lifo

  /// The oldest object dies first, as in a queue.
  case fifo
}

/// Draws the time of death of objects, their mean lifetime given.
struct LifetimeSampler {
  private let distribution: LifetimeDistribution
  private let generation: WeightedChoice
  /// The mean lifetimes of the generations, with that of the first as 1.
  private let generationMeans: [Double]
  /// The mean lifetime over all generations, likewise.
  private let generationMean: Double

  init(_ distribution: LifetimeDistribution) {
    self.distribution = distribution
    guard case .generational(let generations, let survival, let factor) = distribution else {
      generation = WeightedChoice([])
      generationMeans = []
      generationMean = 1
      return
    }
    var weights = [1.0]
    var means = [1.0]
    for _ in 1..<max(generations, 1) {
      weights.append(weights[weights.count - 1] * survival)
      means.append(means[means.count - 1] * factor)
    }
    let sum = weights.reduce(0, +)
    generation = WeightedChoice(weights)
    generationMeans = means
    generationMean = zip(weights, means).reduce(0) { $0 + $1.0 * $1.1 } / sum
  }

  /// When the object born at `now` dies, as a key: of two objects the one with the lower key dies first.
  ///
  /// - Parameters:
  ///   - now: The allocations of the population so far.
  ///   - mean: The mean lifetime, in allocations of the population.
  func deathKey(bornAt now: UInt64, mean: Double, using random: inout ReproducibleRandom) -> UInt64 {
    let lifetime: Double
    switch distribution {
    case .lifo: return UInt64.max - now
    case .fifo: return now
    case .exponential:
      lifetime = mean * random.exponential()
    case .bimodal(let shortShare, let shortMean):
      let longMean = max(shortMean, (mean - shortShare * shortMean) / max(1 - shortShare, 1e-9))
      lifetime = (random.chance(shortShare) ? shortMean : longMean) * random.exponential()
    case .generational:
      let index = generation.index(using: &random)
      lifetime = mean * generationMeans[index] / generationMean * random.exponential()
    }
    return now + UInt64(min(lifetime, 1e15).rounded())
  }
}
