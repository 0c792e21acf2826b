import Testing

@Suite struct ImportsPointDownTests {
  private let rule = ImportsPointDown()

  @Test func everyUpwardImportIsFound() {
    // Each target gets a file that imports all targets above it: floors of the heap, the preload and heapbench alike.
    let targets = Manifest(.repository).targets.filter { !$0.isShim && !$0.isOfTests }
    var expected: [String] = []
    let found = rule.offences { tree in
      for (height, target) in targets.enumerated() {
        let above = targets[(height + 1)...].map(\.name)
        tree.add("\(target.folder)/Seeded.swift", above.map { "internal import \($0)\n" }.joined())
        for (index, name) in above.enumerated() {
          expected.append(
            "\(target.folder)/Seeded.swift:\(index + 1): \(target.name) imports \(name), "
              + "which its entry in the manifest does not declare.")
        }
      }
    }
    #expect(found == expected.sorted())
    #expect(expected.count >= 100)
    #expect(expected.contains { $0.hasPrefix("Sources/GeneralHeap/") && $0.contains("imports MallocPreload") })
    #expect(expected.contains { $0.hasPrefix("Benchmarks/HeapBenchKit/") && $0.contains("imports heapbench") })
  }

  @Test func anImportOfAModuleBelowMustBeDeclared() {
    let found = rule.offences { tree in
      tree.add("Sources/BuddyFrames/Seeded.swift", "import FirstFitHeap\nimport CLabNUMA\n")
    }
    #expect(
      found == [
        "Sources/BuddyFrames/Seeded.swift:1: BuddyFrames imports FirstFitHeap, "
          + "which its entry in the manifest does not declare.",
        "Sources/BuddyFrames/Seeded.swift:2: BuddyFrames imports CLabNUMA, "
          + "which its entry in the manifest does not declare.",
      ])
  }

  @Test func everySpellingOfAnImportIsFound() {
    let found = rule.offences { tree in
      tree.add(
        "Sources/Addresses/Seeded.swift",
        """
        /* why */ import PageTables
        @testable public import PageTables
        @preconcurrency
        package import struct PageTables.PageTable; let code = 1
        """)
    }
    #expect(found.map { $0.prefix { $0 != " " } } == [1, 2, 4].map { "Sources/Addresses/Seeded.swift:\($0):" })
  }

  @Test func whatIsNoImportIsNotFound() {
    let found = rule.offences { tree in
      tree.add(
        "Sources/Addresses/Seeded.swift",
        #"""
        // import PageTables
        /* /* nested */ import PageTables */
        let one = "import PageTables"
        let two = """
          "import PageTables
          import PageTables \(one)
          """
        let three = ##"" "# import PageTables "##
        func other() { module.import(PageTables) }
        """#)
    }
    #expect(found == [])
  }

  @Test func aCoreModuleReachesTheSystemByShims() {
    let found = rule.offences { tree in
      tree.add("Sources/SpinLocks/Seeded.swift", "import Glibc\nimport Synchronization\nimport Builtin\n")
      tree.add("Benchmarks/heapbench/Seeded.swift", "import Glibc\n")
    }
    #expect(
      found == [
        "Sources/SpinLocks/Seeded.swift:1: SpinLocks imports Glibc, but a core module reaches the system by shims."
      ])
  }

  @Test func anEntryMayDeclareOnlyWhatStandsBelowIt() {
    let found = rule.offences { tree in
      tree.seedLowestModule(
        "import Addresses\nimport Seeded\nimport CLabNUMA\n",
        declared: ", imports: [\"Addresses\", \"Seeded\"], shims: [\"CLabNUMA\"]")
    }
    let line = entryLine
    #expect(
      found == [
        "Package.swift:\(line): Seeded declares Addresses, which does not stand below it.",
        "Package.swift:\(line): Seeded declares Seeded, which does not stand below it.",
      ])
  }

  @Test func whatNoFileImportsMayNotBeDeclared() {
    let found = rule.offences { tree in
      tree.seedLowestModule("// import CLabNUMA\nimport CLabKVM\n", declared: ", shims: [\"CLabKVM\", \"CLabNUMA\"]")
      let text = tree[Manifest.path].map { String(decoding: $0.text, as: UTF8.self) } ?? ""
      tree.add(
        Manifest.path,
        text + """
          let more: [Target] = [
            .target(
              name: "SeededKit",
              dependencies: ["EmbeddedAddresses", "Yams", .product(name: "Histogram", package: "hdrhistogram-swift")],
              path: "Benchmarks/SeededKit")
          ]
          """)
      tree.add("Benchmarks/SeededKit/SeededKit.swift", "import Addresses\nimport Foundation\n")
    }
    let line = SourceTree.repository[Manifest.path].map { $0.lineCount + 2 } ?? 0
    #expect(
      Set(found) == [
        "Package.swift:\(line): SeededKit declares Histogram, which no file of it imports.",
        "Package.swift:\(line): SeededKit declares Yams, which no file of it imports.",
        "Package.swift:\(entryLine): Seeded declares CLabNUMA, which no file of it imports.",
      ])
  }

  @Test func everyFolderBelongsToATarget() {
    let found = rule.offences { tree in tree.add("Sources/Stray/Stray.swift", "import PageTables\n") }
    #expect(
      found == ["Sources/Stray/Stray.swift:1: No target of the manifest that the test can read has this file's folder."]
    )
  }

  @Test func testsImportWhatTheyLike() {
    let found = rule.offences { tree in
      tree.add("Tests/AddressesTests/Seeded.swift", "@testable import PageTables\nimport Glibc\n")
    }
    #expect(found == [])
  }

  /// Where the list of core modules begins, and with it a seeded entry.
  private var entryLine: Int {
    SourceTree.repository[Manifest.path]?.words.first { $0.name == "coreModules" }?.line ?? 0
  }
}
