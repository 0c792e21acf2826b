/// A name that a Swift file declares for others: a type, a function, a property, a case.
///
/// A name in the body of a function is none.
struct Declaration {
  let name: String
  /// Whether it stands in a type or an extension.
  let isMember: Bool
  /// Whether other modules see it.
  let isPublic: Bool
}

/// Finds the declarations of a Swift file: its words in order, with the braces between them.
struct DeclarationScanner {
  /// What a brace opened.
  private enum Scope {
    case type(members: MemberAccess)
    case body
  }

  /// What the members of a type are that say nothing of their own access.
  private enum MemberAccess {
    case own
    /// Public, as requirements of a public protocol and members of a public extension are.
    case isPublic
    /// As the cases of a public enumeration.
    case casesArePublic
  }

  private let file: SourceFile
  private var scopes: [Scope] = []
  /// The type whose brace comes next.
  private var nextScope: Scope?
  private var declarations: [Declaration] = []

  private init(_ file: SourceFile) { self.file = file }

  /// The declarations of `file` that are not private, in order.
  static func declarations(of file: SourceFile) -> [Declaration] {
    var scanner = DeclarationScanner(file)
    var end = 0
    for index in file.words.indices {
      scanner.readBraces(in: end..<file.words[index].range.lowerBound)
      scanner.read(index)
      end = file.words[index].range.upperBound
    }
    return scanner.declarations
  }

  private mutating func readBraces(in range: Range<Int>) {
    for offset in range {
      if file.code[offset] == ASCII.openBrace {
        scopes.append(nextScope ?? .body)
        nextScope = nil
      } else if file.code[offset] == ASCII.closeBrace {
        _ = scopes.popLast()
      }
    }
  }

  private mutating func read(_ index: Int) {
    let word = file.words[index]
    if word.isMember || word.isAttribute { return }
    switch word.name {
    case "func", "var", "let", "typealias", "associatedtype", "macro", "precedencegroup":
      if !isInBody { declare(index + 1, after: index) }
    case "case":
      if !isInBody { declareCases(after: index) }
    case "struct", "class", "enum", "protocol", "actor", "extension":
      guard index + 1 < file.words.count, file.isDirectly(word, before: file.words[index + 1]) else { return }
      // `class func` and `class var` declare members.
      if ["func", "var", "let"].contains(file.words[index + 1].name) { return }
      if isInBody { return }
      let isPublic = access(at: index) == .isPublic
      if word.name != "extension" { declare(index + 1, after: index) }
      let areMembersPublic = isPublic && (word.name == "extension" || word.name == "protocol")
      nextScope = .type(
        members: areMembersPublic ? .isPublic : isPublic && word.name == "enum" ? .casesArePublic : .own)
    default: break
    }
  }

  /// Whether the word read now stands in the body of a function, an accessor or a closure.
  private var isInBody: Bool {
    for scope in scopes { if case .body = scope { return true } }
    return false
  }

  private enum Access { case isPrivate, isInternal, isPublic }

  /// The access that a declaration states on the line of its keyword, or has from where it stands.
  private func access(at keyword: Int) -> Access {
    var index = keyword - 1
    while index >= 0, file.words[index].line == file.words[keyword].line {
      let word = file.words[index]
      // `private(set)` is about the setter alone.
      let isOfSetter = file.byte(after: word) == ASCII.openParenthesis
      if !word.isAttribute && !isOfSetter {
        switch word.name {
        case "open", "public", "package": return .isPublic
        case "private", "fileprivate": return .isPrivate
        case "internal": return .isInternal
        default: break
        }
      }
      index -= 1
    }
    guard case .type(let members)? = scopes.last else { return .isInternal }
    switch members {
    case .own: return .isInternal
    case .isPublic: return .isPublic
    case .casesArePublic: return file.words[keyword].name == "case" ? .isPublic : .isInternal
    }
  }

  /// Notes the name at `index`, if a name follows the keyword directly; operators' names are no words.
  private mutating func declare(_ index: Int, after keyword: Int) {
    guard index < file.words.count else { return }
    let access = access(at: keyword)
    let name = file.words[index]
    let gap = file.words[keyword].range.upperBound..<name.range.lowerBound
    let follows = index > keyword + 1 || file.code[gap].allSatisfy { ASCII.isBlank($0) || $0 == ASCII.backtick }
    if follows, access != .isPrivate {
      declarations.append(Declaration(name: name.name, isMember: !scopes.isEmpty, isPublic: access == .isPublic))
    }
  }

  /// Notes the names of `case first, second(Int), third = 3`.
  private mutating func declareCases(after keyword: Int) {
    var index = keyword + 1
    while index < file.words.count {
      declare(index, after: keyword)
      // Behind the name and what it carries, a comma leads to the next name.
      var offset = file.words[index].range.upperBound
      var depth = 0
      scan: while offset < file.code.count {
        switch file.code[offset] {
        case ASCII.openParenthesis: depth += 1
        case ASCII.closeParenthesis: depth -= 1
        case ASCII.comma where depth == 0: break scan
        case ASCII.newline where depth == 0: return
        case ASCII.closeBrace, ASCII.semicolon: return
        default: break
        }
        offset += 1
      }
      while index < file.words.count, file.words[index].range.lowerBound < offset { index += 1 }
    }
  }
}
