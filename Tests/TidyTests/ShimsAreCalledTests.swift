import Testing

@Suite struct ShimsAreCalledTests {
  private let rule = ShimsAreCalled()

  @Test func aShimThatNoTargetHasIsFound() {
    let found = rule.offences { tree in
      tree.add("CShims/CLabSeeded/include/lab_seeded.h", "")
      tree.add("Tests/SeededTests/Use.swift", "import CLabSeeded\n")
    }
    #expect(found == ["CShims/CLabSeeded/include/lab_seeded.h:1: The manifest has no target for the shim CLabSeeded."])
  }

  @Test func aShimThatNoFileImportsIsFound() {
    let found = rule.offences { tree in
      seed("", into: &tree)
      tree.add("Tests/SeededTests/Use.swift", "// import CLabSeeded\n")
    }
    #expect(found == ["CShims/CLabSeeded/include/lab_seeded.h:1: No file imports the shim CLabSeeded."])
  }

  @Test func aFunctionThatNothingCallsIsFound() {
    let found = rule.offences { tree in
      seed(
        """
        #ifdef __cplusplus
        extern "C" {
        #endif
        int lab_seeded_never(int count);
        int lab_seeded_itself(int count);
        static inline int lab_seeded_inline(int count) { return count == 0 ? 0 : lab_seeded_inline(count - 1); }
        // lab_seeded_mentioned(), lab_seeded_never()
        const char *_Nonnull lab_seeded_mentioned(void) __attribute__((cold));
        void lab_seeded_from_swift(void (*lab_seeded_body)(int));
        #ifdef __cplusplus
        }
        #endif
        """, into: &tree)
      tree.add(
        "CShims/CLabSeeded/lab_seeded.c",
        """
        int lab_seeded_never(int count) { return count; }
        int lab_seeded_itself(int count) { return lab_seeded_itself(count - 1); }
        const char *lab_seeded_mentioned(void) { return "lab_seeded_mentioned() lab_seeded_never()"; }
        """)
      tree.add(
        "Tests/SeededTests/Use.swift",
        #"""
        import CLabSeeded
        @c(lab_seeded_from_swift) public func lab_seeded_from_swift() {}
        let text = "lab_seeded_never()" // lab_seeded_never()
        """#)
    }
    let header = "CShims/CLabSeeded/include/lab_seeded.h"
    #expect(
      found == [
        "\(header):4: Nothing calls lab_seeded_never.", "\(header):5: Nothing calls lab_seeded_itself.",
        "\(header):6: Nothing calls lab_seeded_inline.", "\(header):8: Nothing calls lab_seeded_mentioned.",
        "\(header):9: Nothing calls lab_seeded_from_swift.",
      ])
  }

  @Test func aFunctionThatSomethingCallsIsNotFound() {
    let found = rule.offences { tree in
      seed(
        """
        int lab_seeded_by_swift(void);
        int lab_seeded_by_interpolation(void);
        int lab_seeded_by_c(void);
        int lab_seeded_by_macro(void);
        #define LAB_SEEDED (lab_seeded_by_macro() + \\
          1)
        int lab_seeded_by_assembler(void);
        int lab_seeded_by_inline(void);
        static inline int lab_seeded_inline(void) { return lab_seeded_by_inline(); }
        int lab_seeded_by_address(void);
        """, into: &tree)
      tree.add(
        "CShims/CLabSeeded/lab_seeded.c",
        """
        static int caller(void) { return lab_seeded_by_c() + LAB_SEEDED; }
        static int (*const table[])(void) = {lab_seeded_by_address};
        """)
      tree.add("CShims/CLabSeeded/lab_seeded.S", "  .globl lab_seeded_by_c\nstart:\n  call lab_seeded_by_assembler\n")
      tree.add(
        "Tests/SeededTests/Use.swift",
        #"""
        import CLabSeeded
        let text = "\(lab_seeded_by_interpolation())"
        let body = { lab_seeded_by_swift() + lab_seeded_inline() }
        """#)
    }
    #expect(found == [])
  }

  @Test func anAssemblersOwnLabelIsNoCall() {
    let found = rule.offences { tree in
      seed("void lab_seeded_start(void);\n", into: &tree)
      tree.add("CShims/CLabSeeded/lab_seeded.S", "  .globl lab_seeded_start\nlab_seeded_start:\n  ret\n")
      tree.add("Tests/SeededTests/Use.swift", "import CLabSeeded\n")
    }
    #expect(found == ["CShims/CLabSeeded/include/lab_seeded.h:1: Nothing calls lab_seeded_start."])
  }

  /// Adds the shim CLabSeeded with one header.
  private func seed(_ header: String, into tree: inout SourceTree) {
    tree.replace(
      "let coreModules = [",
      by: "let seeded: Target = .target(name: \"CLabSeeded\", path: \"CShims/CLabSeeded\"); let coreModules = [",
      in: Manifest.path)
    tree.add("CShims/CLabSeeded/include/lab_seeded.h", header)
  }
}
