import Testing

@Suite struct ImportsAreUsedTests {
  private let rule = ImportsAreUsed()

  /// A module that declares names of every kind.
  private static let module = """
    public struct SeedType {
      public var seedProperty: Int { let seedLocal = 1; return seedLocal }
      private var seedPrivate = 1
      var seedInternal = 2
      public private(set) var seedReadable = 3
      @inlinable @inline(__always)
      public static func seedMethod(_ seedParameter: Int) {}
      public enum SeedNested { case seedNestedCase }
    }
    public enum SeedEnum {
      case seedFirst, seedSecond(of: Int, and: Int),
        seedThird
      case seedFourth
    }
    public protocol SeedProtocol {
      associatedtype SeedAssociated
      func seedRequirement()
    }
    extension Int { public func seedExtension() {} }
    public extension Int { var seedPublicExtension: Int { 0 } }
    public typealias SeedAlias = Int
    public func seedFunction(_ body: () -> Void = { let seedInDefault = 1 }) {}
    public let seedConstant = 1
    func seedHidden() {}
    """

  /// The numbers of those of `uses` that are offences, each a file that imports the module and says so much more.
  private func offences(_ uses: [String], import statement: String = "import Seeded") -> [Int] {
    let found = rule.offences { tree in
      tree.seedLowestModule(Self.module)
      for (index, use) in uses.enumerated() {
        tree.add("Tests/SeededTests/Use\(index).swift", "\(statement)\n\(use)\n")
      }
    }
    return uses.indices.filter {
      found.contains("Tests/SeededTests/Use\($0).swift:1: No name of Seeded is used here: the import can go.")
    }
  }

  @Test func anImportOfWhichNothingIsUsedIsFound() {
    let uses = [
      "", "// SeedType", #"let text = "SeedType \(1) seedFunction""#,
      "/* x.seedProperty */ import SeedType.seedProperty",
      "let a = seedLocal", "x.seedPrivate()", "x.seedInternal()", "seedHidden()", "f(seedParameter)", "x.seedInDefault",
      "let other = SeedTypes()", "x.SeedFunction",
    ]
    #expect(offences(uses) == Array(uses.indices))
  }

  @Test func anImportOfWhichSomethingIsUsedIsNotFound() {
    let uses = [
      "let a = SeedType()", "x.seedProperty", "x.seedReadable", "SeedType.seedMethod", "f(.seedNestedCase)",
      "f(.seedFirst)",
      "f(.seedSecond(of: 1, and: 2))", "f(.seedThird)", "f(.seedFourth)", "extension X: SeedProtocol {}",
      "x.seedRequirement()",
      "4.seedExtension()", "4.seedPublicExtension", "let a: SeedAlias", "seedFunction()", "f(seedConstant)",
      #"let text = "\(a.map { "\(seedConstant)" })""#, "let a = Seeded.other", "let path = \\X.seedProperty",
      "extension X { func f() { seedRequirement() } }", "let a: X.SeedAssociated",
    ]
    #expect(offences(uses) == [])
  }

  @Test func aNameThatTheFileBindsItselfIsNoUse() {
    #expect(
      offences(["let seedProperty = 1; f(seedProperty)", "func f(seedReadable: Int) { g(seedReadable) }"]) == [0, 1])
  }

  @Test func aTestableImportMayUseWhatIsInternal() {
    let uses = ["x.seedInternal", "seedHidden()", "x.seedPrivate", "f(seedLocal)"]
    #expect(offences(uses, import: "@testable import Seeded") == [2, 3])
  }

  @Test func everyModuleOfTheTreeIsKnown() {
    let targets = Manifest(.repository).targets.filter {
      !$0.isOfTests && !["heapbench", "HeapBenchDriver"].contains($0.name)
    }
    let found = rule.offences { tree in
      for target in targets { tree.add("Tests/SeededTests/Import\(target.name).swift", "import \(target.name)\n") }
    }
    // Whoever imports one of these gets much of libc with it.
    let withLibc = ["CLabDriver", "CLabMalloc"]
    #expect(found.count == targets.count - withLibc.count)
    for shim in withLibc { #expect(!found.contains { $0.contains(shim) }) }
  }

  @Test func shimsAndTheToolchainsModulesAreKnown() {
    let uses = [
      ("CLabPlatform", "// lab_platform_relax()", true), ("CLabPlatform", "lab_platform_relax()", false),
      ("CLabKVM", "f(LAB_KVM_PAGE_FAULT)", false), ("CLabKVM", "x.error_code", false), ("CLabKVM", "x.count", true),
      ("CLabMalloc", "return ENOMEM", false),
      ("CLabBench", "var time = timespec()", false), ("CLabNUMA", "let nodes = LAB_NUMA_NODES", false),
      ("Synchronization", "let a = 1 // Atomic", true), ("Synchronization", "let a = Atomic<Int>(0)", false),
      ("Synchronization", "x.load(ordering: .relaxed)", false), ("Synchronization", "let a = Mutex(0)", false),
      ("Testing", "func testing() {}", true), ("Testing", "@Test func f() {}", false), ("Builtin", "let a = 1", true),
      ("Foundation", "let a = 1", false), ("Glibc", "let a = 1", false), ("Yams", "let a = 1", false),
    ]
    let found = rule.offences { tree in
      for (index, use) in uses.enumerated() {
        tree.add("Tests/SeededTests/Use\(index).swift", "import \(use.0)\n\(use.1)\n")
      }
    }
    for (index, use) in uses.enumerated() {
      let isFound = found.contains { $0.hasPrefix("Tests/SeededTests/Use\(index).swift:") }
      #expect(isFound == use.2, "\(use)")
    }
  }
}
