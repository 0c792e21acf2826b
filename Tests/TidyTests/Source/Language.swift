/// How a text is written, as far as its comments and literals go.
enum Language {
  case swift
  case c
  case shell
  case prose

  /// The language of a file, by its name; nil for files that no rule reads: recordings, pictures, figures.
  init?(path: String) {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else {
      self = .shell
      return
    }
    switch name[name.index(after: dot)...] {
    case "swift": self = .swift
    case "c", "h", "cc", "cpp", "hpp", "S", "s", "ld", "map": self = .c
    case "sh", "yaml", "yml", "py": self = .shell
    case "md": self = .prose
    default: return nil
    }
  }
}
