// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Every core module is built twice from the same files: as an ordinary module for tests, heapbench and library users,
// and in Embedded Swift with `-no-allocations`, where the compiler proves that nothing allocates. A folder can belong
// to one target only, so the second build uses symbolic links in Sources/Embedded.

/// A module of `Sources` and what it imports, lowest first.
struct CoreModule {
  let name: String
  let modules: [String]
  let shims: [String]
  let features: [String]

  init(_ name: String, imports modules: [String] = [], shims: [String] = [], features: [String] = []) {
    self.name = name
    self.modules = modules
    self.shims = shims
    self.features = features
  }

  /// The settings that both of its targets need beyond the common ones.
  var settings: [SwiftSetting] { features.map { .enableExperimentalFeature($0) } }
}

let coreModules = [
  CoreModule("Assertions", shims: ["CLabPlatform"]),
  CoreModule("Addresses", imports: ["Assertions"]),
  CoreModule("MemoryProtocols", imports: ["Addresses"]),
  // Locked values change through a borrowed lock. That takes raw-layout storage, as in the standard library's Mutex.
  CoreModule(
    "SpinLocks", imports: ["Assertions"], shims: ["CLabPlatform"], features: ["RawLayout", "BuiltinModule"]),
  CoreModule("MemoryRegions", imports: ["Assertions", "Addresses"], shims: ["CLabSystem"]),
  CoreModule("NUMARegions", imports: ["Assertions", "Addresses", "MemoryRegions"], shims: ["CLabNUMA"]),
  CoreModule("FirstFitHeap", imports: ["Assertions", "Addresses", "MemoryProtocols", "SpinLocks"]),
  CoreModule("MemoryMaps", imports: ["Assertions", "Addresses"]),
  CoreModule("BuddyFrames", imports: ["Assertions", "Addresses", "MemoryProtocols", "SpinLocks", "MemoryMaps"]),
  CoreModule("PageTables", imports: ["Assertions", "Addresses", "MemoryProtocols"]),
  CoreModule("SlabCaches", imports: ["Assertions", "Addresses", "MemoryProtocols", "SpinLocks"]),
  CoreModule("VirtualAreas", imports: ["Assertions", "Addresses", "MemoryProtocols", "PageTables"]),
  CoreModule("AllocationTraces", imports: ["Assertions"]),
  CoreModule("CallFrames"),
  // The general heap: five floors, each of which knows only those above it in this list.
  CoreModule("HeapBlocks"),
  CoreModule(
    "HeapSpaces",
    imports: [
      "Assertions", "Addresses", "MemoryProtocols", "MemoryRegions", "FirstFitHeap", "BuddyFrames", "HeapBlocks",
    ], shims: ["CLabPlatform"]),
  CoreModule("ThreadHeaps", imports: ["Assertions", "Addresses", "FirstFitHeap", "HeapBlocks", "HeapSpaces"]),
  CoreModule(
    "GeneralHeap",
    imports: [
      "Assertions", "Addresses", "MemoryProtocols", "FirstFitHeap", "HeapBlocks", "HeapSpaces", "ThreadHeaps",
    ]),
  CoreModule(
    "ProcessHeap",
    imports: [
      "Assertions", "Addresses", "MemoryProtocols", "MemoryRegions", "FirstFitHeap", "BuddyFrames", "HeapBlocks",
      "HeapSpaces", "ThreadHeaps", "GeneralHeap",
    ], shims: ["CLabPlatform", "CLabMalloc"]),
]

/// The modules that have a public interface. The others' declarations are for this package only.
let documentedModules = coreModules.map(\.name).filter {
  !["CallFrames", "HeapBlocks", "HeapSpaces", "ThreadHeaps"].contains($0)
}

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Each function has a section: the linker drops those that an upper module inlined and nobody else calls.
/// Leaf functions have no frame pointer: malloc's hot path is one, since it calls only its own continuation.
/// Functions are aligned to cache lines: malloc's hot path fills two of them and costs an eighth more on three.
/// Similar functions are not merged: a hot path's continuation would become a call, and the hot path need a frame.
let embeddedFlags = [
  "-O", "-wmo", "-no-allocations", "-Xfrontend", "-function-sections", "-Xcc", "-momit-leaf-frame-pointer", "-Xllvm",
  "-align-all-functions=6", "-Xllvm", "-swiftmergefunc-threshold=0",
]

/// Settings of an Embedded target whose sources import `modules` by their ordinary names. `libheaplab.so` links these
/// targets: its first-fit heaps have no tables, and the compiler leaves out a seventh of the library that serves tables.
func embedded(importing modules: [String]) -> [SwiftSetting] {
  let aliases = modules.flatMap { ["-module-alias", "\($0)=Embedded\($0)"] }
  return strict + [
    .enableExperimentalFeature("Embedded"), .define("FIRST_FIT_WITHOUT_TABLES"),
    .unsafeFlags(embeddedFlags + aliases),
  ]
}

/// The flags that bind each name of an exports.map to its entry: `NAME;` to PREFIX and NAME, and `NAME; /* as OTHER */` to
/// PREFIX and OTHER. None where the file is out of reach: for a package that depends on this one, SwiftPM evaluates the
/// manifest before it checks the files out. Elsewhere the linker needs the file, and says so.
func entryFlags(_ exportsPath: String, prefix: String) -> [String] {
  guard let text = try? String(contentsOfFile: exportsPath, encoding: .utf8) else { return [] }
  return text.matches(of: #/(?m)^ *(\w+);(?: */\* as (\w+) \*/)?$/#).flatMap { line in
    ["-Xlinker", "--defsym=\(line.1)=\(prefix)\(line.2 ?? line.1)"]
  }
}

// lld gives the names default visibility. gold would copy the entries' protected visibility, and linkers that link
// against the library warn about that. lld also keeps thread-local slots out of the dynamic symbol table.
// Debug information is stripped because valgrind gives up on Swift's; symbol names stay.
/// The flags that link the library `name`, which exports what `exportsPath` lists.
func preloadLinkerFlags(_ name: String, _ exportsPath: String, entryPrefix: String) -> [String] {
  entryFlags(exportsPath, prefix: entryPrefix) + [
    "-use-ld=lld", "-Xlinker", "--soname=\(name)", "-Xlinker", "--gc-sections", "-Xlinker", "--strip-debug",
    "-Xlinker", "-z", "-Xlinker", "now", "-Xlinker", "--version-script=\(exportsPath)",
  ]
}

// `libheaplab.so`: the malloc family, built in Embedded Swift only. Swift reserves the name `malloc`, so the linker
// binds the real names. It exports nothing else: a preloaded Swift program must not bind to our runtime functions.
let exportsPath = "\(Context.packageDirectory)/Sources/MallocPreload/exports.map"

let preloadTarget = Target.target(
  name: "MallocPreload",
  dependencies: ["EmbeddedAddresses", "EmbeddedMemoryRegions", "EmbeddedProcessHeap", "CLabMalloc"],
  exclude: ["exports.map"],
  swiftSettings: embedded(importing: coreModules.map(\.name)),
  linkerSettings: [
    .unsafeFlags(preloadLinkerFlags("libheaplab.so", exportsPath, entryPrefix: "lab_entry_"))
  ])

// `libheaplab-record.so`: forwards the malloc family to the next one and records each call. It exports only that family.
let recordExportsPath = "\(Context.packageDirectory)/Sources/RecordPreload/exports.map"

let recordTarget = Target.target(
  name: "RecordPreload", dependencies: ["EmbeddedAllocationTraces", "EmbeddedCallFrames", "CLabRecord"],
  exclude: ["exports.map"],
  swiftSettings: embedded(importing: coreModules.map(\.name)),
  linkerSettings: [
    .unsafeFlags(preloadLinkerFlags("libheaplab-record.so", recordExportsPath, entryPrefix: "lab_record_entry_"))
  ])

let coreTargets: [Target] = coreModules.flatMap { module -> [Target] in
  let shims = module.shims.map { Target.Dependency.target(name: $0) }
  return [
    .target(
      name: module.name, dependencies: module.modules.map { .target(name: $0) } + shims,
      swiftSettings: strict + module.settings),
    .target(
      name: "Embedded\(module.name)", dependencies: module.modules.map { .target(name: "Embedded\($0)") } + shims,
      path: "Sources/Embedded/\(module.name)", swiftSettings: embedded(importing: module.modules) + module.settings),
  ]
}

let shimTargets: [Target] = [
  .target(name: "CLabPlatform", path: "CShims/CLabPlatform"),
  // One section per function: the preload links only the functions it calls, and only the parts of libc that they need.
  .target(
    name: "CLabSystem", path: "CShims/CLabSystem", cSettings: [.unsafeFlags(["-ffunction-sections"])]),
  .target(name: "CLabNUMA", path: "CShims/CLabNUMA", linkerSettings: [.linkedLibrary("numa")]),
  .target(name: "CLabMalloc", dependencies: ["CLabPlatform"], path: "CShims/CLabMalloc"),
  .target(
    name: "CLabRecord", path: "CShims/CLabRecord", cSettings: [.unsafeFlags(["-ffunction-sections", "-fno-builtin"])]),
  .target(name: "CLabKVM", path: "CShims/CLabKVM"),
  .target(name: "CLabBench", path: "CShims/CLabBench"),
  .target(name: "CLabDriver", path: "CShims/CLabDriver"),
]

/// The program that `heapbench compare` runs under each allocator. It is Embedded Swift, depends on libc alone and
/// allocates nothing for itself. Valgrind counts its instructions and cannot read all of Swift's debug information.
let driverTarget = Target.executableTarget(
  name: "HeapBenchDriver",
  dependencies: ["EmbeddedAssertions", "EmbeddedAllocationTraces", "CLabPlatform", "CLabDriver"],
  path: "Benchmarks/Driver", exclude: ["README.md"],
  swiftSettings: embedded(importing: coreModules.map(\.name)) + [.unsafeFlags(["-parse-as-library"])],
  linkerSettings: [
    .unsafeFlags(["-Xlinker", "--gc-sections", "-Xlinker", "--as-needed", "-Xlinker", "--strip-debug"])
  ])

// heapbench needs other packages, the core needs none. A package that depends on the core switches the trait Lab off
// by `traits: []`; then SwiftPM does not even fetch them.
let lab = "Lab"
let inLab = TargetDependencyCondition.when(traits: [lab])

let benchmarkTargets: [Target] = [
  // The model that every allocation policy is held against, in the tests and by `heapbench check`.
  .target(
    name: "ShadowHeaps", dependencies: ["Addresses", "MemoryProtocols"], path: "Benchmarks/ShadowHeaps",
    swiftSettings: strict),
  .target(
    name: "HeapBenchKit",
    dependencies: [
      "Assertions", "Addresses", "MemoryProtocols", "SpinLocks", "MemoryRegions", "FirstFitHeap", "BuddyFrames",
      "PageTables", "GeneralHeap", "AllocationTraces", "CallFrames", "ShadowHeaps", "CLabPlatform", "CLabBench",
      .product(name: "Yams", package: "Yams", condition: inLab),
      .product(name: "Histogram", package: "hdrhistogram-swift", condition: inLab),
      .product(name: "Subprocess", package: "swift-subprocess", condition: inLab),
      .product(name: "SystemPackage", package: "swift-system", condition: inLab),
    ], path: "Benchmarks/HeapBenchKit", swiftSettings: strict),
  .executableTarget(
    name: "heapbench",
    dependencies: [
      "HeapBenchKit", "CLabMalloc",
      .product(name: "ArgumentParser", package: "swift-argument-parser", condition: inLab),
      .product(name: "FlyingFox", package: "FlyingFox", condition: inLab),
      .product(name: "FlyingSocks", package: "FlyingFox", condition: inLab),
    ],
    path: "Benchmarks/heapbench", swiftSettings: strict),
]

/// The package products that a module's tests import themselves.
let productsOfTests: [String: [Target.Dependency]] = [
  "HeapBenchKit": [
    .product(name: "Subprocess", package: "swift-subprocess", condition: inLab),
    .product(name: "SystemPackage", package: "swift-system", condition: inLab),
  ]
]

let testTargets: [Target] =
  [
    .target(
      name: "LabTestSupport",
      dependencies: [
        "Addresses", "MemoryProtocols", "SpinLocks", "MemoryRegions", "HeapSpaces", "MemoryMaps", "ShadowHeaps",
      ], path: "Tests/LabTestSupport",
      swiftSettings: strict),
    // Runs inside the four-node machine that scripts/test-numa boots.
    .executableTarget(
      name: "NUMAGuest", dependencies: ["Addresses", "MemoryRegions", "NUMARegions"], path: "Tests/NUMAGuest"),
    // The examples that the modules' documentation shows.
    .testTarget(
      name: "ExamplesTests", dependencies: documentedModules.map { .target(name: $0) } + ["LabTestSupport"]),
    // Reads the tree's text and holds it to the rules of the house.
    .testTarget(name: "TidyTests"),
  ]
  + [
    ("Assertions", []), ("Addresses", []), ("MemoryProtocols", []), ("SpinLocks", []),
    ("MemoryRegions", ["CLabSystem"]), ("NUMARegions", []),
    ("FirstFitHeap", []), ("MemoryMaps", []), ("BuddyFrames", ["MemoryMaps"]),
    ("PageTables", ["CLabKVM", "BuddyFrames"]), ("SlabCaches", ["SpinLocks", "BuddyFrames", "PageTables"]),
    ("VirtualAreas", ["SpinLocks", "FirstFitHeap", "MemoryMaps", "BuddyFrames", "PageTables"]),
    ("AllocationTraces", []),
    ("HeapBlocks", []), ("HeapSpaces", ["HeapBlocks", "BuddyFrames", "FirstFitHeap", "CLabPlatform"]),
    ("ThreadHeaps", ["SpinLocks", "HeapBlocks", "HeapSpaces", "FirstFitHeap"]),
    ("GeneralHeap", ["HeapBlocks", "HeapSpaces", "ThreadHeaps"]),
    ("ProcessHeap", ["SpinLocks", "HeapBlocks", "HeapSpaces", "ThreadHeaps", "CLabMalloc"]),
    ("HeapBenchKit", ["heapbench", "FirstFitHeap"]),
  ].map { (module: String, more: [String]) in
    let ours = (["LabTestSupport", "Addresses", "MemoryProtocols", "MemoryRegions", module] + more).uniqued.map {
      Target.Dependency.target(name: $0)
    }
    return .testTarget(name: "\(module)Tests", dependencies: ours + (productsOfTests[module] ?? []))
  }

extension [String] {
  /// The elements without later repetitions.
  var uniqued: [String] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}

let package = Package(
  name: "heaplab",
  products: documentedModules.map { .library(name: $0, targets: [$0]) } + [
    .executable(name: "heapbench", targets: ["heapbench"]),
    .executable(name: "heapbench-driver", targets: ["HeapBenchDriver"]),
    .library(name: "heaplab", type: .dynamic, targets: ["MallocPreload"]),
    .library(name: "heaplab-record", type: .dynamic, targets: ["RecordPreload"]),
  ],
  traits: [
    .default(enabledTraits: [lab]),
    .trait(name: lab, description: "heapbench, which measures heaps, and the packages that it needs."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.20.0"),
  ],
  targets: shimTargets + coreTargets + [preloadTarget, recordTarget, driverTarget] + benchmarkTargets + testTargets
)
