/// The order in which a population's objects die.
///
/// The mean lifetime follows from the live bytes that a phase wants (Little's law); this is the shape around it.
public enum LifetimeDistribution: Hashable, Sendable {
  /// Every object is equally likely to die next, however old it is: lifetimes follow one exponential distribution.
  case exponential

  /// A share of the objects lives `shortMean` allocations of the population on average; the others live long.
  case bimodal(shortShare: Double, shortMean: Double)

  /// Objects that survive a generation live `factor` times as long: a mixture of exponential distributions, of which
  /// the *k*-th has a probability ∝ `survival`^*k* and a mean ∝ `factor`^*k*. Most objects die young. The older an
  /// object is, the longer it is likely to live on.
  case generational(generations: Int, survival: Double, factor: Double)

  /// The newest object dies first, as on a stack.
  case lifo

  /// The oldest object dies first, as in a queue.
  case fifo
}

/// Draws objects' times of death for a given mean lifetime.
struct LifetimeSampler {
  private let distribution: LifetimeDistribution
  private let generation: WeightedChoice
  /// The mean lifetimes of the generations, relative to the first one's.
  private let generationMeans: [Double]
  /// The mean lifetime over all generations, relative to the first one's.
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

  /// The death key of an object born at `now`: of two objects, the one with the lower key dies first.
  ///
  /// - Parameters:
  ///   - now: The number of the population's allocations so far.
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
