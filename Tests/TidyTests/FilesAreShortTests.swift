import Testing

@Suite struct FilesAreShortTests {
  @Test func aTextOfMoreThan400LinesIsFound() {
    let names = [
      "Sources/Addresses/Seeded.swift", "CShims/CLabKVM/seeded.c", "CShims/CLabKVM/seeded.h", "docs/seeded.md",
    ]
    let more = ["Tests/Preload/seeded.cc", "Tests/PagingGuests/seeded.S", "scripts/seeded"]
    let found = FilesAreShort().offences { tree in
      for path in names + more { tree.add(path, String(repeating: "\n", count: 401)) }
    }
    #expect(found == (names + more).map { "\($0):401: 401 lines, where at most 400 may be." }.sorted())
  }

  @Test func aTextOf400LinesIsNot() {
    let found = FilesAreShort().offences { tree in
      tree.add("Sources/Addresses/Seeded.swift", String(repeating: "let a = 1\n", count: 400))
      tree.add("scripts/seeded", String(repeating: "\n", count: 399) + "the end")
    }
    #expect(found == [])
  }

  @Test func recordingsAndFiguresAreNoTexts() {
    for path in ["Benchmarks/Traces/a.hltrace", "Benchmarks/Baselines/x86_64.json", "Benchmarks/Pictures/a.svg"] {
      #expect(SourceFile(path: path, text: []) == nil)
    }
  }
}
