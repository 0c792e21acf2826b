import Testing

@Suite struct OrderingsArePairedTests {
  /// What is found in a file, without its path.
  private func found(_ text: String, in path: String = "Sources/SpinLocks/Seeded.swift") -> [String] {
    OrderingsArePaired().offences { $0.add(path, text) }.map { String($0.dropFirst(path.count + 1)) }
  }

  @Test(arguments: ["acquiring", "releasing", "acquiringAndReleasing", "sequentiallyConsistent"])
  func aStrongOrderingOfSwiftIsFound(_ ordering: String) {
    let line = "let a = word.load(ordering: .\(ordering))\n"
    #expect(found("\n" + line) == ["2: Nothing near by says what \(ordering) pairs with."])
    #expect(found("// Acquire pairs with the release.\n" + line) == [])
    #expect(found("/// Pairs\n  /// with the release.\n" + line) == [])
    #expect(found(line, in: "Benchmarks/HeapBenchKit/Seeded.swift") == [])
  }

  @Test(arguments: [
    "__ATOMIC_ACQUIRE", "__ATOMIC_RELEASE", "__ATOMIC_ACQ_REL", "__ATOMIC_SEQ_CST", "memory_order_acquire",
    "memory_order_release", "memory_order_acq_rel", "memory_order_seq_cst",
  ])
  func aStrongOrderingOfCIsFound(_ ordering: String) {
    let line = "f(&word, \(ordering));\n"
    #expect(found(line, in: "CShims/CLabKVM/seeded.h") == ["1: Nothing near by says what \(ordering) pairs with."])
    #expect(found("// It pairs with the load.\n" + line, in: "CShims/CLabKVM/seeded.c") == [])
  }

  @Test func anOrderingThatCImpliesIsFound() {
    let text =
      "atomic_store(&word, 1);\n__sync_fetch_and_add(&word, 1);\natomic_load_explicit(&word, memory_order_relaxed);\n"
    #expect(
      found(text, in: "CShims/CLabKVM/seeded.c") == [
        "1: Nothing near by says what atomic_store pairs with.",
        "2: Nothing near by says what __sync_fetch_and_add pairs with.",
      ])
  }

  @Test func thePartnerIsNamedWithinEightLines() {
    let line = "word.store(1, ordering: .releasing)\n"
    let gap = { String(repeating: "\n", count: $0) }
    #expect(found("// Pairs with it.\n" + gap(7) + line) == [])
    #expect(found("// Pairs with it.\n" + gap(8) + line) == ["10: Nothing near by says what releasing pairs with."])
    #expect(found(line + "// Pairs with it.\n").count == 1)
    #expect(found("let text = \"pairs with\"\n" + line).count == 1)
  }

  @Test func relaxedAccessesAndMentionsAreNotFound() {
    let text =
      "word.load(ordering: .relaxed)\n// .acquiring\nlet a = \".releasing\"\nlet acquiring = 1\nf(__ATOMIC_ACQUIRE)\n"
    #expect(found(text) == [])
    #expect(found("// __ATOMIC_ACQUIRE\nf(\"__ATOMIC_RELEASE\", __ATOMIC_RELAXED);\n", in: "CShims/CLabKVM/s.c") == [])
  }
}
