/// Every memory ordering stronger than relaxed says what it pairs with: a comment on its line or within the eight lines
/// above contains "pairs with". An acquire without its release orders nothing, and neither of the two tells by itself
/// where the other is. C's atomic operations without an ordering have the strongest one, and count.
struct OrderingsArePaired: TidyRule {
  /// How far above an ordering its partner may be named.
  static let reach = 8

  func offences(in tree: SourceTree) -> [Offence] {
    tree.files(in: "Sources", "CShims", as: [.swift, .c]).flatMap { file in
      file.words.filter { Self.isStrong($0, in: file.language) }.filter { word in
        !file.comment(onLines: word.line - Self.reach...word.line).contains("airs with")
      }.map { Offence(file.path, $0.line, "Nothing near by says what \($0.name) pairs with.") }
    }
  }

  private static func isStrong(_ word: Word, in language: Language) -> Bool {
    switch language {
    case .swift:
      return word.isMember
        && ["acquiring", "releasing", "acquiringAndReleasing", "sequentiallyConsistent"].contains(word.name)
    case .c:
      let strong = ["ACQUIRE", "RELEASE", "ACQ_REL", "SEQ_CST", "CONSUME"]
      if strong.contains(where: { word.name == "__ATOMIC_\($0)" || word.name == "memory_order_\($0.lowercased())" }) {
        return true
      }
      return word.name.hasPrefix("__sync_") || (word.name.hasPrefix("atomic_") && implicit.contains(word.name))
    case .shell, .prose: return false
    }
  }

  /// C's operations that are sequentially consistent without saying so.
  private static let implicit: Set<String> = [
    "atomic_load", "atomic_store", "atomic_exchange", "atomic_compare_exchange_strong", "atomic_compare_exchange_weak",
    "atomic_fetch_add", "atomic_fetch_sub", "atomic_fetch_or", "atomic_fetch_xor", "atomic_fetch_and",
    "atomic_flag_test_and_set", "atomic_flag_clear",
  ]
}
