import CLabBench
import Foundation

/// The traits of a machine and a build that change figures without any change to heaplab.
public struct GateMachine: Hashable, Sendable {
  /// A trait; its raw value is its key in a baseline.
  public enum Trait: String, CaseIterable, Sendable {
    /// The processor's architecture, as `uname -m` names it.
    case architecture
    /// Whether the build is optimised.
    case build
    /// The compiler that built heapbench: the C compiler of the Swift toolchain, whose revision identifies the release.
    case compiler
    /// The processor's features by which the C library chooses code.
    case processor
    /// Those of them that valgrind passes on. It emulates a processor of its own, which has AVX2 where the real one has,
    /// and never RTM or AVX-512 (VEX, `amd64g_dirtyhelper_CPUID_avx2`): what callgrind counts depends on no others. The
    /// trait follows from ``processor`` and stands in no baseline.
    case emulatedProcessor = "emulated-processor"
    /// The C library.
    case libc
    /// The kernel's release, without the patch level.
    case kernel
    /// When the kernel uses transparent huge pages: always, on request or never.
    case hugePages = "huge-pages"
    /// The versions of the programs that run under the preload.
    case perl, sqlite3, python3
  }

  /// The known traits, each as a line of text.
  public let traits: [Trait: String]

  init(traits: [Trait: String]) {
    self.traits = traits
  }

  /// The traits among `names` in which this machine differs from the other, in the order of ``Trait/allCases``.
  func differences(from other: GateMachine, in names: Set<Trait>) -> [Trait] {
    Trait.allCases.filter { names.contains($0) && self[$0] != other[$0] }
  }

  /// A trait as a line of text; nil when it is not known.
  subscript(trait: Trait) -> String? {
    guard trait == .emulatedProcessor else { return traits[trait] }
    return traits[.processor].map { features in
      features.split(separator: " ").filter { Self.emulatedFeatures.contains(String($0)) }.joined(separator: " ")
    }
  }

  /// This machine and this build. It runs the programs to learn their versions.
  static func current(on workbench: GateWorkbench) async -> GateMachine {
    var traits = system
    for program in GateProgram.all {
      traits[program.trait] = await program.version(on: workbench) ?? "absent"
    }
    return GateMachine(traits: traits)
  }

  private static var system: [Trait: String] {
    let kernel = ProcessInfo.processInfo.operatingSystemVersion
    return [
      .architecture: architecture, .build: build, .compiler: compiler, .processor: processorFeatures, .libc: libc,
      .kernel: "\(kernel.majorVersion).\(kernel.minorVersion)", .hugePages: hugePages,
    ]
  }

  /// The architecture that this code was built for.
  static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "aarch64"
    #elseif arch(riscv64)
      "riscv64"
    #else
      "other"
    #endif
  }

  private static var build: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }

  /// The compiler's version and revision, without the address of the repository.
  private static var compiler: String {
    // SAFETY: the function returns a literal, which is a C string.
    let version = unsafe String(cString: lab_compiler_version())
    let words = version.split { " ()".contains($0) }.filter { !$0.contains("/") }
    return words.map { $0.count == 40 ? $0.prefix(10) : $0 }.joined(separator: " ").lowercased()
  }

  private static var libc: String {
    // SAFETY: confstr writes no more bytes than the buffer has, and ends them with a zero.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
      unsafe buffer.withMemoryRebound(to: CChar.self) { chars in
        count = min(64, unsafe confstr(Int32(_CS_GNU_LIBC_VERSION), chars.baseAddress, chars.count))
      }
    }
    let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    return text.isEmpty ? "unknown" : text
  }

  /// The features by which the C library picks its string functions. No other feature changes a count.
  private static let featuresThatCount: Set<String> = [
    "sse4_1", "sse4_2", "avx", "avx2", "bmi1", "bmi2", "erms", "fsrm", "movbe", "rtm", "avx512f", "avx512vl",
    "avx512bw", "asimd", "sve", "sve2", "mops",
  ]

  private static let emulatedFeatures: Set<String> = ["sse4_2", "avx", "avx2", "asimd"]

  private static var processorFeatures: String {
    let lines = contents(of: "/proc/cpuinfo").split(separator: "\n")
    let line = lines.first { $0.hasPrefix("flags") || $0.hasPrefix("Features") } ?? ""
    let features = line.split(whereSeparator: \.isWhitespace).map(String.init)
    return Set(features).intersection(featuresThatCount).sorted().joined(separator: " ")
  }

  private static var hugePages: String {
    let choices = contents(of: "/sys/kernel/mm/transparent_hugepage/enabled")
    let chosen = choices.split(separator: " ").first { $0.hasPrefix("[") }
    return chosen.map { String($0.dropFirst().prefix { $0 != "]" }) } ?? "absent"
  }

  /// The content of a kernel file, whose size is not known before it is read.
  private static func contents(of path: String) -> String {
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return "" }
    return String(decoding: data, as: UTF8.self)
  }
}
