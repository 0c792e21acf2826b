/// Each folder of CShims is a target that some file imports, and something calls each function that a header there
/// declares: a Swift file, C other than the function's own definition, or the assembler. C is here for what Swift
/// cannot say, and a function that nobody calls says nothing. A function counts as called where its name stands in
/// code, whether or not that code runs; one that Swift defines for C counts like any other.
struct ShimsAreCalled: TidyRule {
  func offences(in tree: SourceTree) -> [Offence] { shims(in: tree) + functions(in: tree) }

  private func shims(in tree: SourceTree) -> [Offence] {
    let manifest = Manifest(tree)
    let imported = Set(tree.files(in: "Sources", "Benchmarks", "Tests").flatMap { $0.imports.map(\.module) })
    var folders: Set<Substring> = []
    return tree.files(in: "CShims", as: [.c]).compactMap { file in
      let parts = file.path.split(separator: "/")
      guard parts.count > 2, folders.insert(parts[1]).inserted else { return nil }
      let name = String(parts[1])
      if manifest.target(ofFile: file.path) == nil {
        return Offence(file.path, 1, "The manifest has no target for the shim \(name).")
      }
      return imported.contains(name) ? nil : Offence(file.path, 1, "No file imports the shim \(name).")
    }
  }

  private func functions(in tree: SourceTree) -> [Offence] {
    let texts = tree.files(in: "CShims", "Tests", as: [.c])
    var used: Set<String> = []
    for file in texts { used.formUnion(CFunctions(file).used) }
    for file in tree.files(in: "Sources", "Benchmarks", "Tests") { used.formUnion(file.namesUsed) }
    return tree.files(in: "CShims", as: [.c]).filter { $0.path.hasSuffix(".h") }.flatMap { header in
      CFunctions(header).declared.filter { !used.contains($0.key) }.map { name, line in
        Offence(header.path, line, "Nothing calls \(name).")
      }
    }
  }
}

extension SourceFile {
  /// The words of a Swift file but those that define: behind `func`, and the C name in `@c(name)`.
  fileprivate var namesUsed: Set<String> {
    var names: Set<String> = []
    for (index, word) in words.enumerated() {
      if index > 0 {
        let last = words[index - 1]
        if last.name == "func" || (last.isAttribute && ["c", "_cdecl"].contains(last.name)) { continue }
      }
      names.insert(word.name)
    }
    return names
  }
}
