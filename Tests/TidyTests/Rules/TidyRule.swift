/// A rule of the house that a program can check by reading the tree's text.
protocol TidyRule: Sendable {
  /// The places where `tree` breaks the rule, in no particular order.
  func offences(in tree: SourceTree) -> [Offence]
}

extension TidyRule {
  /// The rule's name: that of its type, which is a sentence.
  var name: String { String(describing: Self.self) }
}
