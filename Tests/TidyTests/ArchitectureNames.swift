import Foundation
import Testing

/// Holds `docs/architecture.md` against the code: its names exist, its table of imports is the manifest's, and each
/// step of a trip goes down or stays on its floor.
@Suite("docs/architecture.md")
struct ArchitectureNames {
  private static let tree = SourceTree.repository
  private static let manifest = Manifest(tree)
  private static let code = tree.files(in: "Sources", "CShims", as: [.swift, .c])
  private static let text = tree["docs/architecture.md"].map { String(decoding: $0.text, as: UTF8.self) } ?? ""

  /// The cells of the rows of all tables whose header is `header`, a list of tables.
  private static func tables(_ header: String) -> [[[String]]] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.indices.filter { lines[$0] == header }.map { start in
      lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
        line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
          $0.trimmingCharacters(in: .whitespaces)
        }
      }
    }
  }

  /// The text between two backticks.
  private static func name(_ cell: String) -> String { cell.trimmingCharacters(in: ["`"]) }

  /// The one file of the code called `name`.
  private static func file(_ name: String) -> SourceFile? {
    let found = code.filter { $0.path.hasSuffix("/\(name)") }
    return found.count == 1 ? found[0] : nil
  }

  @Test func importsAreTheManifests() {
    let rows = Self.tables("| module | imports |").flatMap { $0 }
    var shown: [String: Set<String>] = [:]
    for row in rows {
      for module in row[0].components(separatedBy: ", ") {
        shown[module] = Set(row[1].components(separatedBy: ", ").filter { !$0.isEmpty })
      }
    }
    let expected = Self.manifest.targets.filter { $0.folder.hasPrefix("Sources/") }
    #expect(shown.count == expected.count)
    for target in expected { #expect(shown[target.name] == Set(target.dependencies), "\(target.name)") }
  }

  @Test func tripsGoDown() throws {
    let trips = Self.tables("| # | by | module | file | function | why |")
    #expect(trips.count == 6)
    for rows in trips {
      for (index, row) in rows.enumerated() {
        #expect(row[0] == "\(index + 1)")
        let step = "\(row[3]) \(row[4])"
        let file = try #require(Self.file(Self.name(row[3])), "no file \(step)")
        #expect(Self.manifest.target(ofFile: file.path)?.name == row[2], "\(step) is not in \(row[2])")
        let signature = Signature(Self.name(row[4]))
        #expect(signature.isDeclared(in: file), "\(step) is not declared there")
        guard let by = row[1].split(separator: ",").first else { continue }
        let number = try #require(Int(by), "\(step) has no caller")
        try #require(number >= 1 && number <= index, "\(step) comes before its caller")
        let caller = rows[number - 1]
        if row[1].hasSuffix("hook") { continue }
        let height = try #require(Self.manifest.height(of: row[2]))
        let callerHeight = try #require(Self.manifest.height(of: caller[2]))
        #expect(height <= callerHeight, "\(step) goes up from \(caller[2])")
        let callerFile = try #require(Self.file(Self.name(caller[3])))
        #expect(callerFile.words.contains { $0.name == signature.calledName }, "\(step) is not named in \(caller[3])")
      }
    }
  }

  @Test func namesExist() {
    let words = Set(Self.code.flatMap { $0.words.map(\.name) })
    for match in Self.text.matches(of: /`([^`\n]+)`/) {
      let name = String(match.1)
      if name.contains("/") || name == Manifest.path {
        #expect(Self.tree[name] != nil, "no file \(name)")
      } else if name.wholeMatch(of: /[\w+]+\.(swift|c|h)/) != nil {
        #expect(Self.file(name) != nil, "no file \(name)")
      } else if name.wholeMatch(of: /[\w.]+\(([\w]+:)*\)/) != nil {
        let signature = Signature(name)
        #expect(Self.code.contains { signature.isDeclared(in: $0) }, "no function \(name)")
      } else if name.wholeMatch(of: /\w+(\.\w+)*/) != nil {
        for word in name.split(separator: ".") { #expect(words.contains(String(word)), "no \(word) in the code") }
      }
    }
  }
}

/// A function, initializer or property as documents name it: `name(label:_:)`, `Type.init(label:)`, `name`.
private struct Signature {
  private let type: String
  private let name: String
  /// The labels of its arguments, nil for a property or a function of C.
  private let labels: [String]?

  init(_ text: String) {
    let open = text.firstIndex(of: "(")
    let names = text[..<(open ?? text.endIndex)].split(separator: ".").map(String.init)
    type = names.count > 1 ? names[0] : ""
    name = names.last ?? ""
    labels = open.map { text[text.index(after: $0)...].dropLast().split(separator: ":").map(String.init) }
  }

  /// The name under which callers name it: an initializer goes by its type.
  var calledName: String { name == "init" ? type : name }

  /// Whether `file` declares it, with these labels.
  func isDeclared(in file: SourceFile) -> Bool {
    if name == "init", !file.words.contains(where: { $0.name == type }) { return false }
    return file.words.enumerated().contains { index, word in
      guard word.name == name else { return false }
      if name == "init" { return Self.labels(in: file, after: word) == labels }
      if file.language == .c { return file.firstCode(at: word.range.upperBound)?.byte == ASCII.openParenthesis }
      guard index > 0 else { return false }
      let keyword = file.words[index - 1].name
      guard let labels else { return ["var", "let", "case"].contains(keyword) }
      return keyword == "func" && Self.labels(in: file, after: word) == labels
    }
  }

  /// The labels of the parameters behind a name; nil when no parenthesis follows.
  private static func labels(in file: SourceFile, after word: Word) -> [String]? {
    var index = word.range.upperBound
    // The generic parameters and the mark of an initializer that may fail come first.
    while index < file.code.count, file.code[index] != ASCII.openParenthesis {
      if file.code[index] == ASCII.openBrace || file.code[index] == ASCII.newline { return nil }
      index += 1
    }
    var labels: [String] = []
    var depth = 0
    var isAtLabel = false
    while index < file.code.count {
      switch file.code[index] {
      case ASCII.openParenthesis, ASCII.openBracket:
        depth += 1
        isAtLabel = depth == 1
      case ASCII.closeParenthesis, UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return labels }
      case ASCII.less: depth += 1
      case ASCII.greater where file.code[index - 1] != UInt8(ascii: "-"): depth -= 1
      case ASCII.comma: isAtLabel = depth == 1
      case let byte where isAtLabel && ASCII.isWord(byte):
        var end = index
        while end < file.code.count, ASCII.isWord(file.code[end]) { end += 1 }
        labels.append(String(decoding: file.code[index..<end], as: UTF8.self))
        isAtLabel = false
        index = end - 1
      default: break
      }
      index += 1
    }
    return nil
  }
}
