/// No text has more than 400 lines. A file is a type or one aspect of it, and a reader can hold that in the head; a
/// longer file has taken up a second subject. Recordings and tables of figures are no texts.
struct FilesAreShort: TidyRule {
  static let lineMaximum = 400

  func offences(in tree: SourceTree) -> [Offence] {
    tree.files.filter { $0.lineCount > Self.lineMaximum }.map {
      Offence($0.path, Self.lineMaximum + 1, "\($0.lineCount) lines, where at most \(Self.lineMaximum) may be.")
    }
  }
}
