import Addresses

// Reading a profile's populations from YAML: their sizes, lifetimes and other parameters.

extension Profile.Population {
  /// Reads a population; the node's key is its name.
  init(_ node: ProfileNode, threadCount: Int) throws(ProfileError) {
    let keys = try node.keys(
      ["sizes", "lifetimes", "remote", "allocatedBy", "freedBy", "zeroed", "alignments", "reallocation", "wave"],
      of: "a population")
    name = node.key
    sizes = try SizeDistribution(try keys.required("sizes"))
    lifetimes = try LifetimeDistribution(try keys.required("lifetimes"))
    remoteShare = try keys["remote"]?.share() ?? 0
    if let remote = keys["remote"], remoteShare > 0, threadCount == 1 {
      throw remote.mismatch("0 in a profile of one thread")
    }
    allocatingThreads = try keys["allocatedBy"]?.threads(below: threadCount)
    freeingThreads = try keys["freedBy"]?.threads(below: threadCount)
    if let remote = keys["remote"], freeingThreads != nil {
      throw remote.error("a population has either the key 'remote' or the key 'freedBy'")
    }
    zeroedShare = try keys["zeroed"]?.share() ?? 0
    alignments = try keys["alignments"].map(Profile.AlignmentShare.list) ?? []
    reallocation = try keys["reallocation"].map(Profile.Reallocation.init)
    wave = try keys["wave"].map(Profile.Wave.init)
  }
}

extension Profile.AlignmentShare {
  /// Reads a mapping from alignments to their shares.
  static func list(_ node: ProfileNode) throws(ProfileError) -> [Self] {
    var alignments: [Self] = []
    for entry in try node.entries() {
      guard let alignment = ByteCountText.value(of: entry.key), alignment.isPowerOfTwo, alignment <= 1 << 30
      else { throw entry.error("an alignment must be a power of two 1…1 GiB, found '\(entry.key)'") }
      alignments.append(Self(log2: UInt8(alignment.trailingZeroBitCount), share: try entry.share()))
    }
    let sum = alignments.reduce(0) { $0 + $1.share }
    guard sum <= 1 + ShareSum.tolerance else {
      throw node.error("the shares of \(node.key) must add up to at most 1, found \(ShareSum.text(sum))")
    }
    return alignments
  }
}

extension Profile.Reallocation {
  init(_ node: ProfileNode) throws(ProfileError) {
    let keys = try node.keys(["share", "factor", "max"], of: "a reallocation")
    share = try keys.required("share").share()
    factor = try keys.required("factor").number(in: 0.01...100)
    limit = try keys.required("max").byteCount(in: 1...Profile.byteCountMax)
  }
}

extension Profile.Wave {
  init(_ node: ProfileNode) throws(ProfileError) {
    let keys = try node.keys(["shape", "depth", "every"], of: "a wave")
    shape = try keys.required("shape").choice(Shape.self)
    depth = try keys.required("depth").share()
    period = try keys.required("every").integer(in: 2...1_000_000_000)
  }
}

extension SizeDistribution {
  private static let allowed = ["fixed", "uniform", "logNormal", "zipf", "histogram"]
  private static let sizes = 1...Profile.byteCountMax

  /// Reads one key, the kind of distribution, with its parameters.
  init(_ node: ProfileNode) throws(ProfileError) {
    let (kind, value) = try node.kind(of: Self.allowed)
    switch kind {
    case "fixed":
      self = .fixed(try value.byteCount(in: Self.sizes))
    case "uniform":
      self = .uniform(try value.keys(["min", "max"], of: "a uniform distribution").limits(within: Self.sizes))
    case "logNormal":
      let keys = try value.keys(["median", "sigma", "min", "max"], of: "a log-normal distribution")
      self = .logNormal(
        median: Double(try keys.required("median").byteCount(in: Self.sizes)),
        sigma: try keys.required("sigma").number(in: 0.01...5), limits: try keys.limits(within: Self.sizes))
    case "zipf":
      let keys = try value.keys(["min", "max", "step", "exponent"], of: "a Zipf distribution")
      let limits = try keys.limits(within: Self.sizes)
      let stepNode = try keys.required("step")
      let step = try stepNode.byteCount(in: Self.sizes)
      guard (limits.upperBound - limits.lowerBound) / step < 1 << 20 else {
        throw stepNode.mismatch("so large that there are at most 1048576 sizes")
      }
      self = .zipf(limits: limits, step: step, exponent: try keys.required("exponent").number(in: 0...10))
    default:
      let bins = try value.entries().map { entry throws(ProfileError) in
        Bin(sizes: try entry.sizesOfKey(within: Self.sizes), share: try entry.share())
      }
      try ShareSum.check(bins.map(\.share), of: value)
      self = .histogram(bins)
    }
  }
}

extension LifetimeDistribution {
  private static let allowed = ["exponential", "bimodal", "generational", "lifo", "fifo"]

  /// Reads the name of a distribution without parameters, or one key with its parameters.
  init(_ node: ProfileNode) throws(ProfileError) {
    switch node.text {
    case "exponential": self = .exponential
    case "lifo": self = .lifo
    case "fifo": self = .fifo
    default:
      let (kind, value) = try node.kind(of: Self.allowed)
      switch kind {
      case "bimodal":
        let keys = try value.keys(["shortShare", "shortMean"], of: "a bimodal distribution")
        self = .bimodal(
          shortShare: try keys.required("shortShare").share(),
          shortMean: try keys.required("shortMean").number(in: 0...1e9))
      case "generational":
        let keys = try value.keys(["generations", "survival", "factor"], of: "a generational distribution")
        self = .generational(
          generations: Int(try keys.required("generations").integer(in: 1...16)),
          survival: try keys.required("survival").share(), factor: try keys.required("factor").number(in: 1...1000))
      default:
        throw value.error("\(kind) lifetimes have no parameters; write 'lifetimes: \(kind)'")
      }
    }
  }
}

extension ProfileNode {
  /// The only key of a mapping, which names a kind, and its value.
  fileprivate func kind(of allowed: [String]) throws(ProfileError) -> (String, ProfileNode) {
    let wanted = "one of \(allowed.joined(separator: ", "))"
    guard hasKeys else {
      let suggestion = Spelling.suggestion(for: text ?? "", among: allowed)
      throw error("\(key) must be \(wanted), found \(found)\(suggestion)")
    }
    let entries = try entries()
    guard entries.count == 1, let only = entries.first else { throw error("\(key) must be \(wanted) alone") }
    guard allowed.contains(only.key) else {
      throw only.error(
        "\(key) must be \(wanted), found '\(only.key)'\(Spelling.suggestion(for: only.key, among: allowed))")
    }
    return (only.key, only)
  }

  /// The sizes in the key of a histogram's bin: `64` or `64-127`.
  fileprivate func sizesOfKey(within range: ClosedRange<UInt64>) throws(ProfileError) -> ClosedRange<UInt64> {
    let parts = key.split(separator: "-", omittingEmptySubsequences: false)
      .map { ByteCountText.value(of: String($0)) }
    guard (1...2).contains(parts.count), let low = parts[0], let high = parts[parts.count - 1], low <= high,
      range.contains(low), range.contains(high)
    else { throw error("a bin must be a size or a range of sizes as 64 or 64-127, found '\(key)'") }
    return low...high
  }
}

extension ProfileKeys {
  /// The values of `min` and `max`.
  fileprivate func limits(within range: ClosedRange<UInt64>) throws(ProfileError) -> ClosedRange<UInt64> {
    let low = try required("min").byteCount(in: range)
    return low...(try required("max").byteCount(in: low...range.upperBound))
  }
}
