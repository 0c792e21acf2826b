import Yams

/// A value in a profile's YAML with the name of its key.
///
/// Every reading method throws a ``ProfileError`` that names the key, what was found and what is allowed.
struct ProfileNode {
  /// The profile's name, for messages.
  let profile: String
  /// The value's key, by which messages name it.
  let key: String
  let node: Node

  /// The line of the value, from 1.
  var line: Int? { node.mark?.line }

  /// An error about this value.
  func error(_ finding: String) -> ProfileError { ProfileError(profile, line: line, finding) }

  /// An error that says what the value must be, and what was found.
  func mismatch(_ wanted: String) -> ProfileError { error("\(key) must be \(wanted), found \(found)") }

  /// The value as text for messages.
  var found: String {
    switch node {
    case .scalar(let scalar):
      scalar.string.isEmpty ? "nothing" : isQuoted ? "'\(scalar.string)'" : scalar.string
    case .mapping: "keys"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  private var isQuoted: Bool { Double(text ?? "") == nil }

  /// The text of a scalar; nil for keys and lists.
  var text: String? { node.scalar?.string }

  /// Whether the value is a mapping.
  var hasKeys: Bool { node.mapping != nil }

  /// The text of a scalar, which must not be empty.
  func string() throws(ProfileError) -> String {
    guard let text, !text.isEmpty else { throw mismatch("text") }
    return text
  }

  /// A whole number in `range`.
  func integer(in range: ClosedRange<UInt64>) throws(ProfileError) -> UInt64 {
    let wanted = "\(range.lowerBound)…\(range.upperBound)"
    guard let text, let number = Int128(text.filter { $0 != "_" }) else {
      throw mismatch("a whole number \(wanted)")
    }
    guard number >= Int128(range.lowerBound), number <= Int128(range.upperBound) else { throw mismatch(wanted) }
    return UInt64(number)
  }

  /// A number in `range`.
  func number(in range: ClosedRange<Double>) throws(ProfileError) -> Double {
    let wanted = "\(Self.plain(range.lowerBound))…\(Self.plain(range.upperBound))"
    guard let text, let number = Double(text), number.isFinite else {
      throw mismatch("a number \(wanted)")
    }
    guard range.contains(number) else { throw mismatch(wanted) }
    return number
  }

  /// A probability.
  func share() throws(ProfileError) -> Double { try number(in: 0...1) }

  /// A byte count in `range`, with or without a unit.
  func byteCount(in range: ClosedRange<UInt64>) throws(ProfileError) -> UInt64 {
    let wanted = "\(ByteCountText.text(range.lowerBound))…\(ByteCountText.text(range.upperBound))"
    guard let text, let byteCount = ByteCountText.value(of: text) else {
      throw mismatch("a byte count as 64, 4 KiB or 16 MiB")
    }
    guard range.contains(byteCount) else { throw mismatch(wanted) }
    return byteCount
  }

  /// One of the cases of `Choice` by its raw value.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) throws(ProfileError) -> Choice {
    guard let choice = Choice(rawValue: text ?? "") else {
      throw mismatch("one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  /// A range of threads, as `0` or `0-3`, below `threadCount`.
  func threads(below threadCount: Int) throws(ProfileError) -> ClosedRange<Int> {
    let parts = (text ?? "").split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(parts.count), let first = parts[0], let last = parts[parts.count - 1],
      first >= 0, first <= last, last < threadCount
    else { throw mismatch("a thread or a range of threads within 0-\(threadCount - 1)") }
    return first...last
  }

  /// The values of a list, which must not be empty.
  func list() throws(ProfileError) -> [ProfileNode] {
    guard let nodes = node.sequence, !nodes.isEmpty else { throw mismatch("a list") }
    return nodes.map { ProfileNode(profile: profile, key: key, node: $0) }
  }

  /// The entries of a mapping with arbitrary keys, in the file's order.
  func entries() throws(ProfileError) -> [ProfileNode] {
    guard let mapping = node.mapping, !mapping.isEmpty else { throw mismatch("a list of keys with values") }
    var entries: [ProfileNode] = []
    for (key, value) in mapping {
      guard let name = key.scalar?.string else { throw mismatch("a list of keys with values") }
      entries.append(ProfileNode(profile: profile, key: name, node: value))
    }
    return entries
  }

  /// The values of a mapping, which may have only the allowed keys.
  ///
  /// - Parameter context: The mapping's name in messages, such as `a phase`.
  func keys(_ allowed: [String], of context: String) throws(ProfileError) -> ProfileKeys {
    guard let mapping = node.mapping else { throw mismatch("keys of \(context)") }
    for (key, _) in mapping {
      let name = key.scalar?.string ?? ""
      guard allowed.contains(name) else {
        let suggestion = Spelling.suggestion(for: name, among: allowed)
        let choices = "; it may have \(allowed.joined(separator: ", "))"
        throw ProfileError(
          profile, line: key.mark?.line,
          "\(context) has no key '\(name)'\(suggestion.isEmpty ? choices : suggestion)")
      }
    }
    return ProfileKeys(owner: self, context: context, mapping: mapping)
  }

  /// A number as text, without a fraction when it is whole.
  static func plain(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? "\(Int64(number))" : "\(number)"
  }
}

/// The values of a mapping whose keys have been checked.
struct ProfileKeys {
  let owner: ProfileNode
  let context: String
  let mapping: Node.Mapping

  /// The value of `key`; nil when the file does not have it.
  subscript(key: String) -> ProfileNode? {
    mapping[Node(key)].map { ProfileNode(profile: owner.profile, key: key, node: $0) }
  }

  /// The value of `key`, which the file must have.
  func required(_ key: String) throws(ProfileError) -> ProfileNode {
    guard let value = self[key] else { throw owner.error("\(context) needs the key '\(key)'") }
    return value
  }
}
