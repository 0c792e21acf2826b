/// The tables of docs/aarch64.md say for every atomic of the core why its memory order suffices on a processor that
/// reorders more than x86-64 does. A new one cannot be missing there:
///
/// - Each order stronger than relaxed has a row of its own, `| FILE | where | ORDER | …`, and each such row has its order.
/// - Each atomic word, a property `let NAME = Atomic` or a word in `withAtomic(&…NAME)`, is named in a row of its file.
/// - Each file that uses `Atomic` or C's `__atomic` functions has a row.
struct MemoryOrdersAreListed: TidyRule {
  static let document = "docs/aarch64.md"
  static let orders: Set = ["acquiring", "releasing", "acquiringAndReleasing", "sequentiallyConsistent"]

  func offences(in tree: SourceTree) -> [Offence] {
    guard let document = tree[Self.document] else { return [Offence(Self.document, 1, "The tables are missing.")] }
    let rows = Self.rows(of: document)
    return tree.files(in: "Sources", "CShims", as: [.swift, .c]).flatMap { file -> [Offence] in
      let name = String(file.path.split(separator: "/").last ?? "")
      let named = rows.filter { $0.first?.contains(name) == true }.map { Set($0.joined()) }
      let orders = file.words.filter { $0.isMember && Self.orders.contains($0.name) }
      let listed = rows.filter { $0.first == [name] }.flatMap { $0.dropFirst(2).first ?? [] }
      var missing = Self.atomicWords(of: file).filter { word in !named.contains { $0.contains(word.name) } }.map {
        Offence(file.path, $0.line, "\(Self.document) does not say why the order of \($0.name) suffices.")
      }
      if let use = file.words.first(where: Self.isAtomic), named.isEmpty {
        missing.append(Offence(file.path, use.line, "\(Self.document) has no row for this file, which uses atomics."))
      }
      if orders.map(\.name).sorted() != listed.filter(Self.orders.contains).sorted() {
        let found = orders.map(\.name).sorted().joined(separator: ", ")
        missing.append(
          Offence(file.path, orders.first?.line ?? 1, "\(Self.document) must have a row for each of: \(found)."))
      }
      return missing
    }
  }

  /// The rows of the tables: for each cell the names that stand in backquotes.
  private static func rows(of document: SourceFile) -> [[[String]]] {
    String(decoding: document.text, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("| ") }.map { line in
      line.dropFirst(2).split(separator: "|", omittingEmptySubsequences: false).map { cell in
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map {
          String($0.element)
        }
      }
    }
  }

  private static func isAtomic(_ word: Word) -> Bool {
    ["Atomic", "withAtomic"].contains(word.name) || word.name.hasPrefix("__atomic_")
  }

  /// The properties that are atomics, and the words of records that are accessed as atomics.
  private static func atomicWords(of file: SourceFile) -> [Word] {
    let words = file.words
    return words.indices.compactMap { index -> Word? in
      if words[index].name == "Atomic", index >= 2, words[index - 2].name == "let" { return words[index - 1] }
      guard words[index].name == "withAtomic", index == 0 || words[index - 1].name != "func", index + 1 < words.count
      else {
        return nil
      }
      // `withAtomic(&owner.fields.name[…])`: the last of the names that are joined by periods.
      var last = index + 1
      while last + 1 < words.count, words[last + 1].isMember,
        words[last].range.upperBound + 1 == words[last + 1].range.lowerBound
      { last += 1 }
      return words[last]
    }
  }
}
