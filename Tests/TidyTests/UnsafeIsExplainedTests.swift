import Testing

@Suite struct UnsafeIsExplainedTests {
  /// The lines of a file of the core that are offences.
  private func lines(_ text: String, at path: String = "Sources/Addresses/Seeded.swift") -> [Int] {
    let found = UnsafeIsExplained().offences { $0.add(path, text) }
    return found.compactMap { offence in
      let parts = offence.split(separator: ":", maxSplits: 2)
      #expect(parts[2] == " Nothing near by says why this is safe (`// SAFETY: …`).")
      return Int(parts[1])
    }.sorted()
  }

  @Test func aReasonStandsOnTheLineOrFiveLinesAbove() {
    let reason = "// SAFETY: it is.\n"
    let gap = { String(repeating: "let b = 1\n", count: $0) }
    #expect(lines("let a = unsafe b\n") == [1])
    #expect(lines("let a = unsafe b // SAFETY: it is.\n") == [])
    #expect(lines(reason + gap(4) + "let a = unsafe b\n") == [])
    #expect(lines(reason + gap(5) + "let a = unsafe b\n") == [7])
    #expect(lines("let a = unsafe b\n" + reason) == [1])
    #expect(lines("let a = unsafe b\n", at: "Benchmarks/Driver/Seeded.swift") == [1])
    #expect(lines("let a = unsafe b\n", at: "Tests/AddressesTests/Seeded.swift") == [])
  }

  @Test func aReasonIsAComment() {
    #expect(lines("let a = \"// SAFETY: none\"\nlet b = unsafe c\n") == [2])
    #expect(lines("// safe, believe me\nlet b = unsafe c\n") == [2])
    #expect(lines("/* SAFETY: it is. */ let b = unsafe c\n") == [])
  }

  @Test func consecutiveLinesHaveOneReason() {
    let run = String(repeating: "unsafe f()\n", count: 9)
    #expect(lines("// SAFETY: all are.\n" + run) == [])
    #expect(lines("// SAFETY: all are.\n" + run + "g()\nunsafe f()\n") == [12])
    #expect(lines("\n" + run) == Array(2...10))
  }

  @Test func theWordItselfCountsAndNothingElse() {
    let text = """
      @unsafe func f()
      // unsafe
      let a = "unsafe"
      let unsafely = b.unsafePointer
      unsafeAddress { unsafe c }
      nonisolated(unsafe) var d = 1
      let e = "\\(unsafe f)"
      """
    #expect(lines(text) == [5, 6, 7])
  }

  @Test func theCallersPromiseIsAReason() {
    let text = """
      struct S {
        /// Reads.
        ///
        /// - Safety: The address must be good.
        @unsafe @inlinable
        public func promised(_ body: () -> Void = { g() }) {
          one()
          two()
          three()
          unsafe f()
        }

        /// Reads without a promise.
        @unsafe func unpromised() {
          unsafe f()
        }

        /// - Safety: But it is not marked.
        func unmarked() {
          unsafe f()
        }

        /// - Safety: As a requirement it has no body.
        @unsafe func required()
        var next: Int {
          unsafe f()
        }

        /// - Safety: Good.
        @unsafe var value: Int { unsafe f() }
        /// - Safety: Good.
        @unsafe subscript(i: Int) -> Int {
          get { unsafe f() }
          set {
            g()
            unsafe f()
          }
        }
        var after: Int { unsafe f() }
      }
      """
    #expect(lines(text) == [15, 20, 26, 39])
  }
}
