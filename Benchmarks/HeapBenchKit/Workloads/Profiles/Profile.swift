/// The parameters of a synthetic workload, as in a YAML file of `Benchmarks/Profiles`.
///
/// A profile models behaviour by *populations* and *phases*. Populations are kinds of objects that live side by side,
/// each with its sizes and its order of death. Phases say how much of each population is live and how often it is
/// requested. `ProfileGenerator` makes a workload from a profile.
public struct Profile: Hashable, Sendable {
  /// The name, which is also the file's.
  public let name: String

  /// One sentence on whose behaviour it models.
  public let summary: String

  /// The number of threads that share the work.
  public let threadCount: Int

  /// The mean number of requests that a thread makes before the next thread's turn.
  public let turnLength: Int

  /// What the profile does.
  public let behaviour: Behaviour

  /// A profile made in code. The caller must avoid values that a YAML file cannot have, such as a share above 1.
  public init(name: String, summary: String, threadCount: Int = 1, turnLength: Int = 32, behaviour: Behaviour) {
    self.name = name
    self.summary = summary
    self.threadCount = threadCount
    self.turnLength = turnLength
    self.behaviour = behaviour
  }

  /// What a profile does.
  public enum Behaviour: Hashable, Sendable {
    /// Draws from populations, phase by phase, and repeats the whole list `repetitions` times.
    case phases(populations: [Population], phases: [Phase], repetitions: Int)
    /// Follows a plan against first fit.
    case adversary(Adversary)
  }

  /// A kind of object.
  public struct Population: Hashable, Sendable {
    /// The name that the phases use.
    public let name: String
    /// The sizes of its objects.
    public let sizes: SizeDistribution
    /// The order in which its objects die.
    public let lifetimes: LifetimeDistribution
    /// The share of its objects that a thread other than the allocating one frees.
    public let remoteShare: Double
    /// The threads that allocate; nil for all.
    public let allocatingThreads: ClosedRange<Int>?
    /// The threads that free; nil when the allocating thread frees, or another one by the remote share.
    public let freeingThreads: ClosedRange<Int>?
    /// The share of its objects that are requested zeroed.
    public let zeroedShare: Double
    /// The alignments with their shares; the other objects have no alignment.
    public let alignments: [AlignmentShare]
    /// How its objects are resized; nil for never.
    public let reallocation: Reallocation?
    /// How its live bytes swing; nil for steady live bytes.
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

  /// The share of objects with an alignment.
  public struct AlignmentShare: Hashable, Sendable {
    /// The alignment's logarithm to base 2.
    public let log2: UInt8
    /// The probability of this alignment.
    public let share: Double

    public init(log2: UInt8, share: Double) {
      self.log2 = log2
      self.share = share
    }
  }

  /// How objects are resized.
  public struct Reallocation: Hashable, Sendable {
    /// The share of a population's requests that resize a live object instead of allocating one.
    public let share: Double
    /// The factor for the size.
    public let factor: Double
    /// The most bytes of a resized object; a request that would exceed them allocates instead.
    public let limit: UInt64

    public init(share: Double, factor: Double, limit: UInt64) {
      self.share = share
      self.factor = factor
      self.limit = limit
    }
  }

  /// A swing of the live bytes below the phase's figure, and back.
  public struct Wave: Hashable, Sendable {
    /// The shape of the swing.
    public enum Shape: String, Hashable, Sendable, CaseIterable {
      /// Up and down at the same pace.
      case triangle
      /// Up as fast as requests come, then down at once: all objects of a frame or a pass die together.
      case sawtooth
    }
    /// The shape of the swing.
    public let shape: Shape
    /// The share of the live bytes that die in each wave.
    public let depth: Double
    /// The length of a wave in allocations of the population.
    public let period: UInt64

    public init(shape: Shape, depth: Double, period: UInt64) {
      self.shape = shape
      self.depth = depth
      self.period = period
    }
  }

  /// A part of the run.
  public struct Phase: Hashable, Sendable {
    /// The phase's name in messages.
    public let name: String
    /// The number of requests that allocate or resize; deallocations come on top.
    public let requestCount: UInt64
    /// For each population, in the profile's order, its share of the requests.
    public let shares: [Double]
    /// For each population, in the profile's order, the bytes to keep live; nil keeps the previous figure.
    public let liveByteCounts: [UInt64?]

    public init(name: String, requestCount: UInt64, shares: [Double], liveByteCounts: [UInt64?]) {
      self.name = name
      self.requestCount = requestCount
      self.shares = shares
      self.liveByteCounts = liveByteCounts
    }
  }

  /// A program made to fragment an allocator's heap.
  public enum Adversary: Hashable, Sendable {
    /// Robson's program: blocks of `unit` bytes times a power of two up to `limit`, and `liveByteCount` bytes live.
    case robson(liveByteCount: UInt64, unit: UInt64, limit: UInt64)
  }
}
