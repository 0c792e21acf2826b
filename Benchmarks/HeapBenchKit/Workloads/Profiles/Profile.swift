/// A synthetic workload's parameters, as a YAML file of `Benchmarks/Profiles` gives them.
///
/// A profile says whose behaviour it models by *populations*, kinds of objects that live side by side, each with its
/// sizes and its order of death, and by *phases*, which say how much of each is live and how often it is asked for.
/// `ProfileGenerator` makes a workload of it.
public struct Profile: Hashable, Sendable {
  /// The name, which is also the file's.
  public let name: String

  /// One sentence on whose behaviour it models.
  public let summary: String

  /// How many threads share the work.
  public let threadCount: Int

  /// The mean number of requests that a thread makes before another one's turn comes.
  public let turnLength: Int

  /// What it does.
  public let behaviour: Behaviour

  /// A profile made in code; what a YAML file cannot say, such as a share above 1, is the caller's to avoid.
  public init(name: String, summary: String, threadCount: Int = 1, turnLength: Int = 32, behaviour: Behaviour) {
    self.name = name
    self.summary = summary
    self.threadCount = threadCount
    self.turnLength = turnLength
    self.behaviour = behaviour
  }

  /// What a profile does.
  public enum Behaviour: Hashable, Sendable {
    /// Draws from populations, phase by phase, the whole list `repetitions` times.
    case phases(populations: [Population], phases: [Phase], repetitions: Int)
    /// Follows a plan against first fit.
    case adversary(Adversary)
  }

  /// A kind of object.
  public struct Population: Hashable, Sendable {
    /// What the phases call it.
    public let name: String
    /// How large its objects are.
    public let sizes: SizeDistribution
    /// In which order they die.
    public let lifetimes: LifetimeDistribution
    /// The share of its objects that another thread frees than the one that allocated them.
    public let remoteShare: Double
    /// The threads that allocate; nil for all.
    public let allocatingThreads: ClosedRange<Int>?
    /// The threads that free what others allocated; nil for all.
    public let freeingThreads: ClosedRange<Int>?
    /// The share of its objects that are asked for all zero.
    public let zeroedShare: Double
    /// Alignments as powers of two, with their shares; the rest asks for none.
    public let alignments: [AlignmentShare]
    /// How its objects are resized; nil for never.
    public let reallocation: Reallocation?
    /// How its live bytes swing; nil for steady.
    public let wave: Wave?

    public init(
      name: String, sizes: SizeDistribution, lifetimes: LifetimeDistribution, remoteShare: Double = 0,
      allocatingThreads: ClosedRange<Int>? = nil, freeingThreads: ClosedRange<Int>? = nil, zeroedShare: Double = 0,
      alignments: [AlignmentShare] = [], reallocation: Reallocation? = nil, wave: Wave? = nil
    ) {
      self.name = name
      self.sizes = sizes
      self.lifetimes = lifetimes
      self.remoteShare = remoteShare
      self.allocatingThreads = allocatingThreads
      self.freeingThreads = freeingThreads
      self.zeroedShare = zeroedShare
      self.alignments = alignments
      self.reallocation = reallocation
      self.wave = wave
    }
  }

  /// The share of objects that ask for an alignment.
  public struct AlignmentShare: Hashable, Sendable {
    /// The alignment's logarithm to base 2.
    public let log2: UInt8
    /// The probability of it.
    public let share: Double

    public init(log2: UInt8, share: Double) {
      self.log2 = log2
      self.share = share
    }
  }

  /// Resizing.
  public struct Reallocation: Hashable, Sendable {
    /// The share of a population's requests that resize one of its live objects instead of making one.
    public let share: Double
    /// What the size is multiplied by.
    public let factor: Double
    /// The most bytes an object grows to; at the limit one is made anew instead.
    public let limit: UInt64

    public init(share: Double, factor: Double, limit: UInt64) {
      self.share = share
      self.factor = factor
      self.limit = limit
    }
  }

  /// Live bytes that swing below the phase's figure, and back.
  public struct Wave: Hashable, Sendable {
    /// How they move.
    public enum Shape: String, Hashable, Sendable, CaseIterable {
      /// Up and down at the same pace.
      case triangle
      /// Up as fast as requests come, then down at once: all of a frame's or a pass's objects die together.
      case sawtooth
    }
    /// How they move.
    public let shape: Shape
    /// The share of the live bytes that go.
    public let depth: Double
    /// The length of a wave in allocations of the population.
    public let period: UInt64

    public init(shape: Shape, depth: Double, period: UInt64) {
      self.shape = shape
      self.depth = depth
      self.period = period
    }
  }

  /// A stretch of the run.
  public struct Phase: Hashable, Sendable {
    /// What messages call it.
    public let name: String
    /// How many requests that allocate or resize it makes; deallocations come on top.
    public let requestCount: UInt64
    /// For each population, in the profile's order, its share of the requests.
    public let shares: [Double]
    /// For each population, in the profile's order, the bytes to keep live; nil leaves it as it was.
    public let liveByteCounts: [UInt64?]

    public init(name: String, requestCount: UInt64, shares: [Double], liveByteCounts: [UInt64?]) {
      self.name = name
      self.requestCount = requestCount
      self.shares = shares
      self.liveByteCounts = liveByteCounts
    }
  }

  /// A plan against an allocator.
  public enum Adversary: Hashable, Sendable {
    /// Robson's, with blocks of `unit` bytes times a power of two up to `limit`, and `liveByteCount` live.
    case robson(liveByteCount: UInt64, unit: UInt64, limit: UInt64)
  }
}
