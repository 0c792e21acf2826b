/// The names of the malloc family stand once, in the version script exports.map; the manifest and check-exports read
/// them there. A second list is one that somebody forgets: a name is then exported and bound to nothing, or glibc keeps
/// serving it. A list is two different names of the family on one line, or on two lines that follow each other.
struct MallocNamesStandOnce: TidyRule {
  static let list = "Sources/MallocPreload/exports.map"
  static let readers = ["Package.swift", "scripts/check-exports"]

  func offences(in tree: SourceTree) -> [Offence] {
    guard let exports = tree[Self.list] else {
      return [Offence(Self.list, 1, "The list of the malloc names is missing.")]
    }
    let family = Set(exports.exportedNames)
    if family.isEmpty { return [Offence(Self.list, 1, "No name of the malloc family stands here.")] }
    return Self.readers.flatMap { path -> [Offence] in
      guard let file = tree[path] else { return [Offence(path, 1, "This reader of exports.map is missing.")] }
      var namesByLine: [Int: Set<String>] = [:]
      for word in Word.all(in: file.textWithoutComments) where family.contains(word.name) {
        namesByLine[word.line, default: []].insert(word.name)
      }
      return namesByLine.compactMap { line, names in
        guard names.union(namesByLine[line - 1] ?? []).count > 1 else { return nil }
        let spelled = names.sorted().joined(separator: ", ")
        return Offence(file.path, line, "The malloc names are listed again (\(spelled)): read them from exports.map.")
      }
    }
  }
}

extension SourceFile {
  /// The names between `global:` and `local:`, without those of the library's own interface, which a pattern exports.
  fileprivate var exportedNames: [String] {
    words.map(\.name).drop { $0 != "global" }.dropFirst().prefix { $0 != "local" }.filter { !$0.hasPrefix("heaplab") }
  }

  /// The text, literals included, with spaces in place of comments.
  fileprivate var textWithoutComments: [UInt8] {
    var bytes = text
    for index in bytes.indices where comments[index] != ASCII.space && bytes[index] != ASCII.newline {
      bytes[index] = ASCII.space
    }
    return bytes
  }
}
