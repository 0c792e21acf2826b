/// The phrase that this rule is named after stands in the tree a limited number of times. As a habit it hangs a reason
/// onto every sentence that was complete before it, and readers wade through purposes to reach the facts; two
/// sentences mostly say it better. It counts wherever it stands, also where a line of a comment ends inside it.
struct SoThatIsRare: TidyRule {
  /// The most that the whole tree may have. Lower it when some are gone; never raise it.
  static let countMaximum = 12

  func offences(in tree: SourceTree) -> [Offence] {
    let counts = tree.files.map { (file: $0, lines: $0.linesOfPhrase) }
    let count = counts.reduce(0) { $0 + $1.lines.count }
    guard count > Self.countMaximum, let most = counts.max(by: { $0.lines.count < $1.lines.count }) else { return [] }
    let phrase = Self.phrase.joined(separator: " ")
    return [
      Offence(
        most.file.path, most.lines.first ?? 1,
        "'\(phrase)' stands \(count) times in the tree, \(most.lines.count) of them here, "
          + "where at most \(Self.countMaximum) may be.")
    ]
  }

  /// The words, apart from each other: together they would count here.
  static let phrase = ["so", "that"]
}

extension SourceFile {
  /// The lines on which the phrase begins, one for each time.
  fileprivate var linesOfPhrase: [Int] {
    let words = Word.all(in: text)
    return zip(words, words.dropFirst()).compactMap { first, second in
      // A name such as libheaplab.so does not begin it.
      guard first.name.lowercased() == SoThatIsRare.phrase[0], !first.isMember, second.name == SoThatIsRare.phrase[1]
      else { return nil }
      let gap = text[first.range.upperBound..<second.range.lowerBound]
      let marks = [ASCII.slash, ASCII.star, ASCII.pound]
      return gap.allSatisfy { ASCII.isBlank($0) || marks.contains($0) } ? first.line : nil
    }
  }
}
