import Testing

@Suite struct MallocNamesStandOnceTests {
  /// What the rule finds in a text at `path`, where the tree's own is.
  private func found(_ text: String, in path: String) -> [String] {
    var tree = SourceTree.repository
    tree.add("Package.swift", "")
    tree.add("scripts/check-exports", "")
    tree.add(path, text)
    return MallocNamesStandOnce().offences(in: tree).map(\.description).sorted()
  }

  @Test func aListInTheManifestIsFound() {
    let text = "let names = [\n  \"malloc\",\n  \"calloc\", \"__libc_memalign\",\n]\n"
    #expect(
      found(text, in: "Package.swift") == [
        "Package.swift:3: The malloc names are listed again (__libc_memalign, calloc): read them from exports.map."
      ])
    #expect(found("let names = [\n  \"malloc\",\n  \"calloc\",\n]\n", in: "Package.swift").count == 1)
  }

  @Test func aListInAScriptIsFound() {
    let text = "#!/bin/sh\nfamily=\"free mallinfo2\"\n"
    #expect(
      found(text, in: "scripts/check-exports") == [
        "scripts/check-exports:2: The malloc names are listed again (free, mallinfo2): read them from exports.map."
      ])
  }

  @Test func aMentionIsNoList() {
    #expect(found("// malloc, calloc and free\nlet name = \"malloc\"\n", in: "Package.swift") == [])
    #expect(found("# malloc, calloc\necho \"the malloc family: heaplab_version\"\n", in: "scripts/check-exports") == [])
    #expect(found("family=\"free mallinfo2\"\n", in: "scripts/other") == [])
  }

  @Test func theReadersMustBeThere() {
    let files = SourceTree.repository.files.filter { $0.path != "scripts/check-exports" }
    let found = MallocNamesStandOnce().offences(in: SourceTree(files)).map(\.description)
    #expect(found.contains("scripts/check-exports:1: This reader of exports.map is missing."))
  }

  @Test func theListItselfMustBeThere() {
    #expect(
      found("{ local: *; };\n", in: MallocNamesStandOnce.list) == [
        "Sources/MallocPreload/exports.map:1: No name of the malloc family stands here."
      ])
  }
}
