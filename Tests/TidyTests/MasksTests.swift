import Testing

@Suite struct MasksTests {
  private func code(_ text: String, _ language: Language = .swift) -> String {
    String(decoding: Masks(Array(text.utf8), in: language).code, as: UTF8.self)
  }

  private func comments(_ text: String, _ language: Language = .swift) -> String {
    String(decoding: Masks(Array(text.utf8), in: language).comments, as: UTF8.self)
  }

  @Test(arguments: [
    ("a // b\nc", "a     \nc"),
    ("a /* b /* c */ d */ e", "a                   e"),
    ("f(\"a // b\") c", "f(\"      \") c"),
    (#"f("a\"b") c"#, #"f("    ") c"#),
    (#"f("a\(b("c"))d") e"#, #"f("  (b(" ")) ") e"#),
    (##"f(#"a"\(b)\#(c)"#) d"##, ##"f(#"        (c)"#) d"##),
    ("f(\"\"\"\n  a \"b\" // c\n  \"\"\") d", "f(\"\"\"\n            \n  \"\"\") d"),
    ("f(\"\", b) #if c", "f(\"\", b) #if c"),
    ("a / b // c", "a / b     "),
    ("\"open\nnext", "\"    \nnext"),
    ("/* open", "       "),
  ])
  func swiftCodeHasNeitherCommentsNorLiterals(_ text: String, _ expected: String) {
    #expect(code(text) == expected)
  }

  @Test(arguments: [
    ("a /* b\n c */ d // e\nf", "a     \n      d     \nf"),
    ("f(\"a\\\"/*\", '\"', '\\'') b", "f(\"     \", ' ', '  ') b"),
    ("/*/ a */ b", "         b"),
    ("#include \"a.h\"", "#include \"   \""),
  ])
  func cCodeHasNeitherCommentsNorLiterals(_ text: String, _ expected: String) {
    #expect(code(text, .c) == expected)
  }

  @Test func commentsKeepTheirPlaces() {
    #expect(comments("a // b\n\"// c\" /* d */") == "  // b\n       /* d */")
    #expect(comments("  # a\nb # c\n", .shell) == "  # a\n     \n")
  }

  @Test func wordsKnowWhereTheyStand() throws {
    let words = Word.all(in: Array("@a b.c 0..<d\n$0 x1 `e` 1_000 é".utf8))
    #expect(words.map(\.name) == ["a", "b", "c", "d", "x1", "e", "é"])
    #expect(words.map(\.line) == [1, 1, 1, 1, 2, 2, 2])
    #expect(words.filter(\.isMember).map(\.name) == ["c"])
    #expect(words.filter(\.isAttribute).map(\.name) == ["a"])
  }
}
