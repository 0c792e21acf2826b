internal import Assertions

/// A node of the machine: processors and the memory near them.
@frozen
public struct NUMANode: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The system's number for the node, 0 to 1023.
  public let rawValue: UInt16

  /// The node with the number `rawValue`; traps above 1023.
  public init(_ rawValue: UInt16) {
    require(rawValue < 1024, "a node's number must be 0 to 1023, found", UInt64(rawValue))
    self.rawValue = rawValue
  }

  public static func < (left: NUMANode, right: NUMANode) -> Bool { left.rawValue < right.rawValue }
}

/// A set of nodes.
public struct NUMANodeSet: Equatable, Sendable {
  /// One bit for each node, lowest first.
  var words: InlineArray<16, UInt64>

  /// No nodes.
  public init() {
    words = InlineArray(repeating: 0)
  }

  /// The set of one node.
  public init(_ node: NUMANode) {
    self.init()
    insert(node)
  }

  /// Adds `node`.
  public mutating func insert(_ node: NUMANode) {
    words[Int(node.rawValue) / 64] |= 1 << (UInt64(node.rawValue) % 64)
  }

  /// Removes `node`.
  public mutating func remove(_ node: NUMANode) {
    words[Int(node.rawValue) / 64] &= ~(1 << (UInt64(node.rawValue) % 64))
  }

  /// Whether `node` is in the set.
  public func contains(_ node: NUMANode) -> Bool {
    words[Int(node.rawValue) / 64] >> (UInt64(node.rawValue) % 64) & 1 == 1
  }

  /// How many nodes the set has.
  public var count: Int {
    var count = 0
    for index in words.indices { count += words[index].nonzeroBitCount }
    return count
  }

  /// Whether the set has no nodes.
  public var isEmpty: Bool { first == nil }

  /// The lowest node, nil when there is none.
  public var first: NUMANode? { next(from: 0) }

  /// The lowest node above `node`, nil when there is none.
  public func next(after node: NUMANode) -> NUMANode? { next(from: Int(node.rawValue) + 1) }

  /// The lowest node whose number is at least `start`.
  private func next(from start: Int) -> NUMANode? {
    var index = start / 64
    guard index < words.count else { return nil }
    var word = words[index] & (UInt64.max << (UInt64(start) % 64))
    while word == 0 {
      index += 1
      guard index < words.count else { return nil }
      word = words[index]
    }
    return NUMANode(UInt16(index * 64 + word.trailingZeroBitCount))
  }

  /// Calls `body` with every node, lowest first.
  public func forEach<Failure: Error>(_ body: (NUMANode) throws(Failure) -> Void) throws(Failure) {
    var node = first
    while let current = node {
      try body(current)
      node = next(after: current)
    }
  }

  /// The lowest node that is not in `other`, nil when all are.
  func firstMissing(in other: NUMANodeSet) -> NUMANode? {
    var node = first
    while let current = node {
      if !other.contains(current) { return current }
      node = next(after: current)
    }
    return nil
  }

  public static func == (left: NUMANodeSet, right: NUMANodeSet) -> Bool {
    for index in left.words.indices where left.words[index] != right.words[index] { return false }
    return true
  }
}
