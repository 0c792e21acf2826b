// swift-tools-version: 6.2
import PackageDescription

// Every core module is built twice from the same files: as an ordinary module, for tests, heapbench and library
// users, and in Embedded Swift with `-no-allocations`, where the compiler proves that nothing allocates. The second
// build goes through symbolic links in Sources/Embedded, since a folder can belong to one target only.

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

  /// What its two targets are compiled with, beyond what all are.
  var settings: [SwiftSetting] { features.map { .enableExperimentalFeature($0) } }
}

let coreModules = [
  CoreModule("Assertions", shims: ["CLabPlatform"]),
  CoreModule("Addresses", imports: ["Assertions"]),
  CoreModule("MemoryProtocols", imports: ["Addresses"]),
  // A value that changes behind a borrowed lock needs storage of a raw layout, as the standard library's Mutex does.
  CoreModule(
    "SpinLocks", imports: ["Assertions"], shims: ["CLabPlatform"], features: ["RawLayout", "BuiltinModule"]),
  CoreModule("MemoryRegions", imports: ["Assertions", "Addresses"], shims: ["CLabSystem"]),
  CoreModule("NUMARegions", imports: ["Assertions", "Addresses", "MemoryRegions"], shims: ["CLabNUMA"]),
  CoreModule("FirstFitHeap", imports: ["Assertions", "Addresses", "MemoryProtocols", "SpinLocks"]),
  CoreModule("BuddyFrames", imports: ["Assertions", "Addresses", "MemoryProtocols", "SpinLocks"]),
  CoreModule("PageTables", imports: ["Assertions", "Addresses", "MemoryProtocols"]),
  CoreModule("AllocationTraces", imports: ["Assertions"]),
  CoreModule(
    "GeneralHeap",
    imports: ["Assertions", "Addresses", "MemoryProtocols", "MemoryRegions", "FirstFitHeap", "BuddyFrames"],
    shims: ["CLabPlatform", "CLabSystem", "CLabMalloc"]),
]

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Leaf functions do without a frame pointer: that is malloc's hot path, which calls nothing but its own continuation.
/// Functions start at a cache line: malloc's hot path is two lines long, and costs an eighth more where it is three.
let embeddedFlags = [
  "-O", "-wmo", "-no-allocations", "-Xcc", "-momit-leaf-frame-pointer", "-Xllvm", "-align-all-functions=6",
]

/// Settings of an Embedded target whose sources import `modules` by their ordinary names.
func embedded(importing modules: [String]) -> [SwiftSetting] {
  let aliases = modules.flatMap { ["-module-alias", "\($0)=Embedded\($0)"] }
  return strict + [
    .enableExperimentalFeature("Embedded"), .unsafeFlags(embeddedFlags + aliases),
  ]
}

// `libheaplab.so`: the malloc family, in Embedded Swift alone. The linker binds the real names, since Swift reserves
// `malloc`, and exports nothing else: a preloaded Swift program must not bind to our runtime functions.
let mallocNames = [
  "malloc", "calloc", "realloc", "reallocarray", "free", "aligned_alloc", "memalign", "posix_memalign", "valloc",
  "pvalloc", "malloc_usable_size", "malloc_trim", "malloc_stats", "mallopt", "mallinfo", "mallinfo2", "malloc_info",
]
/// Names that are `free` under another one: what more they are given is of no use here.
let freeNames = ["cfree", "free_sized", "free_aligned_sized"]

/// Names under which glibc has the same functions a second time, for programs that wrap `malloc` in one of their own: what
/// they give must be ours too, for `free` is.
let glibcNames = [
  "__libc_malloc": "malloc", "__libc_calloc": "calloc", "__libc_realloc": "realloc", "__libc_free": "free",
  "__libc_memalign": "memalign", "__posix_memalign": "posix_memalign", "__libc_valloc": "valloc",
  "__libc_pvalloc": "pvalloc",
]

// lld gives the names default visibility, where gold takes over the entries' protected one, of which linkers that run
// on the library warn; and it keeps thread-local slots out of the dynamic table.
// Debug information goes, since valgrind gives up on what Swift writes; names stay.
let preloadLinkerFlags: [String] =
  mallocNames.flatMap { ["-Xlinker", "--defsym=\($0)=lab_entry_\($0)"] }
  + freeNames.flatMap { ["-Xlinker", "--defsym=\($0)=lab_entry_free"] }
  + glibcNames.sorted { $0.key < $1.key }.flatMap { ["-Xlinker", "--defsym=\($0.key)=lab_entry_\($0.value)"] }
  + [
    "-use-ld=lld", "-Xlinker", "--soname=libheaplab.so", "-Xlinker", "--gc-sections", "-Xlinker", "--strip-debug",
    "-Xlinker", "-z", "-Xlinker",
    "now",
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/MallocPreload/exports.map",
  ]

let preloadTarget = Target.target(
  name: "MallocPreload", dependencies: ["EmbeddedGeneralHeap", "CLabMalloc"], exclude: ["exports.map"],
  swiftSettings: embedded(importing: coreModules.map(\.name)),
  linkerSettings: [.unsafeFlags(preloadLinkerFlags)])

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
  // A section for each function: the preload takes those that it calls, and with them no more of libc than it needs.
  .target(
    name: "CLabSystem", path: "CShims/CLabSystem", cSettings: [.unsafeFlags(["-ffunction-sections"])]),
  .target(name: "CLabNUMA", path: "CShims/CLabNUMA", linkerSettings: [.linkedLibrary("numa")]),
  .target(name: "CLabMalloc", path: "CShims/CLabMalloc"),
  .target(name: "CLabKVM", path: "CShims/CLabKVM"),
  .target(name: "CLabBench", path: "CShims/CLabBench"),
  .target(name: "CLabDriver", path: "CShims/CLabDriver"),
]

/// What `heapbench compare` starts under each allocator: Embedded Swift, libc its only dependency, and without one
/// allocation of its own. Valgrind, which counts its instructions, cannot read all of Swift's debug information.
let driverTarget = Target.executableTarget(
  name: "HeapBenchDriver", dependencies: ["EmbeddedAllocationTraces", "CLabPlatform", "CLabDriver"],
  path: "Benchmarks/Driver", exclude: ["README.md"],
  swiftSettings: embedded(importing: coreModules.map(\.name)) + [.unsafeFlags(["-parse-as-library"])],
  linkerSettings: [
    .unsafeFlags(["-Xlinker", "--gc-sections", "-Xlinker", "--as-needed", "-Xlinker", "--strip-debug"])
  ])

let benchmarkTargets: [Target] = [
  .target(
    name: "HeapBenchKit",
    dependencies: [
      "Assertions", "Addresses", "MemoryProtocols", "SpinLocks", "MemoryRegions", "FirstFitHeap", "BuddyFrames",
      "PageTables", "GeneralHeap", "AllocationTraces", "CLabPlatform", "CLabBench", "Yams",
      .product(name: "Histogram", package: "hdrhistogram-swift"),
      .product(name: "Subprocess", package: "swift-subprocess"),
      .product(name: "SystemPackage", package: "swift-system"),
    ], path: "Benchmarks/HeapBenchKit", swiftSettings: strict),
  .executableTarget(
    name: "heapbench",
    dependencies: ["HeapBenchKit", .product(name: "ArgumentParser", package: "swift-argument-parser")],
    path: "Benchmarks/heapbench", swiftSettings: strict),
]

/// The packages' products that a module's tests use themselves.
let productsOfTests: [String: [Target.Dependency]] = [
  "HeapBenchKit": [
    .product(name: "Subprocess", package: "swift-subprocess"),
    .product(name: "SystemPackage", package: "swift-system"),
  ]
]

let testTargets: [Target] =
  [
    .target(
      name: "LabTestSupport", dependencies: ["Addresses", "MemoryProtocols", "MemoryRegions"],
      path: "Tests/LabTestSupport",
      swiftSettings: strict),
    // Runs inside the machine with four nodes that scripts/test-numa boots.
    .executableTarget(
      name: "NUMAGuest", dependencies: ["Addresses", "MemoryRegions", "NUMARegions"], path: "Tests/NUMAGuest"),
    // Reads the tree's text and holds it to the rules of the house.
    .testTarget(name: "TidyTests"),
  ]
  + [
    ("Assertions", []), ("Addresses", []), ("MemoryProtocols", []), ("SpinLocks", []),
    ("MemoryRegions", ["CLabSystem"]), ("NUMARegions", []),
    ("FirstFitHeap", []), ("BuddyFrames", []), ("PageTables", ["CLabKVM", "BuddyFrames"]), ("AllocationTraces", []),
    ("GeneralHeap", ["SpinLocks"]), ("HeapBenchKit", ["heapbench", "FirstFitHeap"]),
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
  products: coreModules.map { .library(name: $0.name, targets: [$0.name]) } + [
    .executable(name: "heapbench", targets: ["heapbench"]),
    .executable(name: "heapbench-driver", targets: ["HeapBenchDriver"]),
    .library(name: "heaplab", type: .dynamic, targets: ["MallocPreload"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
  ],
  targets: shimTargets + coreTargets + [preloadTarget, driverTarget] + benchmarkTargets + testTargets
)
