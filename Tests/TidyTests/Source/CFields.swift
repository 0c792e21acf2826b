/// The fields of the structs that a C header declares.
struct CFields {
  private(set) var names: Set<String> = []

  /// In the braces of a struct, a word is a field where a semicolon, a comma or an array's bracket follows it, or where
  /// it closes the parentheses of a function pointer. Braces behind a parenthesis are a function's.
  init(_ header: SourceFile) {
    // For each open brace, whether it is a struct's; those of `extern "C" { }` are not, nor do they hide one.
    var isStruct: [Bool] = []
    var end = 0
    for word in header.words {
      for offset in end..<word.range.lowerBound {
        if header.code[offset] == ASCII.openBrace {
          isStruct.append(![ASCII.closeParenthesis, ASCII.quote].contains(header.lastCode(before: offset)))
        } else if header.code[offset] == ASCII.closeBrace {
          _ = isStruct.popLast()
        }
      }
      end = word.range.upperBound
      guard isStruct.last == true, let next = header.firstCode(at: end) else { continue }
      let isPointer =
        next.byte == ASCII.closeParenthesis
        && header.firstCode(at: next.offset + 1)?.byte == ASCII.openParenthesis
      if isPointer || [ASCII.semicolon, ASCII.comma, ASCII.openBracket].contains(next.byte) { names.insert(word.name) }
    }
  }
}
