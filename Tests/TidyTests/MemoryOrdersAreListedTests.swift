import Testing

@Suite struct MemoryOrdersAreListedTests {
  private static let path = "Sources/HeapSpaces/Seeded.swift"

  /// What the rule finds when the file has the text `code` and the tables have the lines `rows` more.
  private func found(_ code: String, _ rows: String = "", at path: String = Self.path) -> [String] {
    var tree = SourceTree.repository
    tree.add(path, code)
    let document = tree[MemoryOrdersAreListed.document].map { String(decoding: $0.text, as: UTF8.self) } ?? ""
    tree.add(MemoryOrdersAreListed.document, document + "\n" + rows)
    return MemoryOrdersAreListed().offences(in: tree).map(\.sentence).sorted()
  }

  private static let store = "word.store(1, ordering: .releasing)\n"

  @Test func anOrderWithoutARowIsFound() {
    let missing = "docs/aarch64.md must have a row for each of: releasing."
    #expect(found(Self.store) == [missing])
    #expect(found(Self.store, "| `Seeded.swift` | `f()` | `releasing` | `g()` | It does. |\n") == [])
    #expect(found(Self.store, "| `Seeded.swift` | `f()` | `acquiring` | `g()` | It does. |\n") == [missing])
    #expect(found(Self.store, "| `Other.swift` | `f()` | `releasing` | `g()` | It does. |\n").contains(missing))
  }

  @Test func eachUseNeedsARowOfItsOwn() {
    let row = "| `Seeded.swift` | `f()` | `releasing` | `g()` | It does. |\n"
    #expect(
      found(Self.store + Self.store, row) == ["docs/aarch64.md must have a row for each of: releasing, releasing."])
    #expect(found(Self.store + Self.store, row + row) == [])
  }

  @Test func aRowWithoutItsOrderIsFound() {
    let row = "| `Seeded.swift` | `f()` | `releasing` | `g()` | It does. |\n"
    #expect(found("let a = 1\n", row) == ["docs/aarch64.md must have a row for each of: ."])
  }

  @Test(arguments: [
    "let seeded = Atomic<UInt>(0)\n", "let seeded: Atomic<UInt>\n", "withAtomic(&a.fields.seeded[1]) { }\n",
  ])
  func anAtomicWordWithoutARowIsFound(_ code: String) {
    let rest = "| `Seeded.swift` | `other` | A figure. |\n"
    #expect(found(code, rest) == ["docs/aarch64.md does not say why the order of seeded suffices."])
    #expect(found(code, "| `Seeded.swift` | `seeded` | A figure. |\n") == [])
  }

  @Test func aFileWithAtomicsNeedsARow() {
    let missing = "docs/aarch64.md has no row for this file, which uses atomics."
    #expect(found("f(UnsafePointer<Atomic<UInt>>(a))\n") == [missing])
    #expect(found("__atomic_load_n(&a, __ATOMIC_RELAXED);\n", at: "CShims/CLabSystem/seeded.c") == [missing])
    #expect(found("let a = 1 // Atomic\n") == [])
  }

  @Test func theTablesMustBeThere() {
    let files = SourceTree.repository.files.filter { $0.path != MemoryOrdersAreListed.document }
    let found = MemoryOrdersAreListed().offences(in: SourceTree(files)).map(\.description)
    #expect(found == ["docs/aarch64.md:1: The tables are missing."])
  }
}
