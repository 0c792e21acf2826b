import Addresses

// Reading a profile's behaviour from YAML: its phases, or its adversary.

extension Profile.Behaviour {
  /// Reads the behaviour from the keys of a whole profile.
  init(_ keys: ProfileKeys, threadCount: Int) throws(ProfileError) {
    if let adversary = keys["adversary"] {
      for other in ["populations", "phases", "repeat", "turn"] {
        if let node = keys[other] { throw node.error("a profile with an adversary cannot have the key '\(other)'") }
      }
      if threadCount != 1 { throw try keys.required("threads").mismatch("1 in a profile with an adversary") }
      self = .adversary(try Profile.Adversary(adversary))
      return
    }
    let nodes = try keys.required("populations").entries()
    let populations = try nodes.map { node throws(ProfileError) in
      try Profile.Population(node, threadCount: threadCount)
    }
    let phases = try keys.required("phases").list().map { node throws(ProfileError) in
      try Profile.Phase(node, populations: nodes.map(\.key))
    }
    let repetitions = Int(try keys["repeat"]?.integer(in: 1...10_000) ?? 1)
    self = .phases(populations: populations, phases: phases, repetitions: repetitions)
  }
}

extension Profile.Phase {
  /// Reads a phase over the populations with these names.
  init(_ node: ProfileNode, populations: [String]) throws(ProfileError) {
    let keys = try node.keys(["name", "requests", "shares", "live"], of: "a phase")
    name = try keys.required("name").string()
    requestCount = try keys.required("requests").integer(in: 1...1_000_000_000)
    if let node = keys["shares"] {
      let values = try node.keys(populations, of: "shares")
      shares = try populations.map { name throws(ProfileError) in try values[name]?.share() ?? 0 }
      try ShareSum.check(shares, of: node)
    } else if populations.count == 1 {
      shares = [1]
    } else {
      throw node.error("a phase needs the key 'shares' when there are several populations")
    }
    let values = try keys.required("live").keys(populations, of: "live")
    liveByteCounts = try populations.map { name throws(ProfileError) in
      try values[name]?.byteCount(in: 0...Profile.byteCountMax)
    }
  }
}

extension Profile.Adversary {
  /// Reads one key, the kind of adversary, with its parameters.
  init(_ node: ProfileNode) throws(ProfileError) {
    let robson = try node.keys(["robson"], of: "an adversary").required("robson")
    let keys = try robson.keys(["live", "unit", "max"], of: "robson")
    let unit = try keys.required("unit").byteCount(in: 32...1 << 20)
    guard unit.isMultiple(of: 16) else { throw try keys.required("unit").mismatch("a multiple of 16") }
    let limit = try keys.required("max").byteCount(in: unit...1 << 32)
    guard limit.isMultiple(of: unit), (limit / unit).isPowerOfTwo else {
      throw try keys.required("max").mismatch("the unit times a power of two")
    }
    self = .robson(
      liveByteCount: try keys.required("live").byteCount(in: limit...Profile.byteCountMax), unit: unit, limit: limit)
  }
}

/// Shares that must add up.
enum ShareSum {
  /// The largest distance of a sum of decimal fractions from 1.
  static let tolerance = 0.0005

  /// Throws unless the shares under `node` add up to 1.
  static func check(_ shares: [Double], of node: ProfileNode) throws(ProfileError) {
    let sum = shares.reduce(0, +)
    guard abs(sum - 1) <= tolerance else {
      let owner = node.key == "shares" ? "" : " of \(node.key)"
      throw node.error("the shares\(owner) must add up to 1, found \(text(sum))")
    }
  }

  /// A sum as text for messages: at most four digits after the point, without trailing zeros.
  static func text(_ sum: Double) -> String { ProfileNode.plain((sum * 10_000).rounded() / 10_000) }
}
