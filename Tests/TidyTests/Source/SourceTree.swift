import Foundation

/// The texts of the project. A copy with one text changed is how a test seeds an offence.
struct SourceTree: Sendable {
  /// The texts, in order of their paths.
  private(set) var files: [SourceFile]

  /// A tree of `files`, which may come in any order, with one at most for a path.
  init(_ files: [SourceFile]) {
    self.files = files.sorted { $0.path < $1.path }
  }

  /// The file at `path`, nil when there is none.
  subscript(path: String) -> SourceFile? { files.first { $0.path == path } }

  /// The files in `languages` below any of `places`, which are folders or files.
  func files(in places: String..., as languages: Set<Language> = [.swift]) -> [SourceFile] {
    files.filter { file in
      languages.contains(file.language)
        && places.contains { file.path.hasPrefix($0) && (file.path == $0 || file.path.hasPrefix($0 + "/")) }
    }
  }

  /// Puts `text` at `path`, in place of what is there.
  mutating func add(_ path: String, _ text: String) {
    guard let file = SourceFile(path: path, text: Array(text.utf8)) else {
      preconditionFailure("no rule reads files such as \(path)")
    }
    self = SourceTree(files.filter { $0.path != path } + [file])
  }

  /// Replaces every `old` in the file at `path`, which must have one at least.
  mutating func replace(_ old: String, by new: String, in path: String) {
    let text = self[path].map { String(decoding: $0.text, as: UTF8.self) } ?? ""
    precondition(text.contains(old), "\(path) has no '\(old)'")
    add(path, text.replacingOccurrences(of: old, with: new))
  }
}
