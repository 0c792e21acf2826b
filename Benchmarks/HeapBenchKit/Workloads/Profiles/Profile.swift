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
  }

  /// The share of objects that ask for an alignment.
  public struct AlignmentShare: Hashable, Sendable {
    /// The alignment's logarithm to base 2.
    public let log2: UInt8
    /// The probability of it.
    public let share: Double
  }

  /// Resizing.
  public struct Reallocation: Hashable, Sendable {
    /// The share of a population's requests that resize one of its live objects instead of making one.
    public let share: Double
    /// What the size is multiplied by.
    public let factor: Double
    /// The most bytes an object grows to; at the limit one is made anew instead.
    public let limit: UInt64
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
  }

  /// A plan against an allocator.
  public enum Adversary: Hashable, Sendable {
    /// Robson's, with blocks of `unit` bytes times a power of two up to `limit`, and `liveByteCount` live.
    case robson(liveByteCount: UInt64, unit: UInt64, limit: UInt64)
  }
}
