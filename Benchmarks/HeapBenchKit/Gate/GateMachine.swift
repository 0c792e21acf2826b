import CLabBench
import Foundation

/// What of a machine and of a build makes figures differ that have nothing to do with a change of heaplab.
public struct GateMachine: Hashable, Sendable {
  /// A trait; its raw value is its key in a baseline.
  public enum Trait: String, CaseIterable, Sendable {
    /// What processor the code is for, as `uname -m` calls it.
    case architecture
    /// Whether the build is optimised.
    case build
    /// Which compiler built heapbench: the C compiler of the Swift toolchain, whose revision names the release.
    case compiler
    /// The processor's features that compilers and the C library choose code by.
    case processor
    /// The C library.
    case libc
    /// The kernel's release, without the patch level.
    case kernel
    /// Whether the kernel uses transparent huge pages unasked.
    case hugePages = "huge-pages"
    /// The programs that run under the preload, by version.
    case perl, sqlite3, python3
  }

  /// The traits that are known, each as a line of text.
  public let traits: [Trait: String]

  init(traits: [Trait: String]) {
    self.traits = traits
  }

  /// The traits of `names` in which this machine is not the other, in the order of ``Trait/allCases``.
  func differences(from other: GateMachine, in names: Set<Trait>) -> [Trait] {
    Trait.allCases.filter { names.contains($0) && traits[$0] != other.traits[$0] }
  }

  /// This machine and this build; the versions of the programs on it are found out by running them.
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

  /// What processor this code is for.
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

  /// The version and the revision, without the address of the repository.
  private static var compiler: String {
    // SAFETY: a literal of the C compiler's, which is a C string.
    let version = unsafe String(cString: lab_compiler_version())
    let words = version.split { " ()".contains($0) }.filter { !$0.contains("/") }
    return words.map { $0.count == 40 ? $0.prefix(10) : $0 }.joined(separator: " ").lowercased()
  }

  private static var libc: String {
    // SAFETY: confstr writes at most as many bytes as the buffer has, and ends them with a zero.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
      unsafe buffer.withMemoryRebound(to: CChar.self) { chars in
        count = min(64, unsafe confstr(Int32(_CS_GNU_LIBC_VERSION), chars.baseAddress, chars.count))
      }
    }
    let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    return text.isEmpty ? "unknown" : text
  }

  /// What the C library picks its string functions by; everything else the processor can do changes no count.
  private static let featuresThatCount: Set<String> = [
    "sse4_1", "sse4_2", "avx", "avx2", "bmi1", "bmi2", "erms", "fsrm", "movbe", "rtm", "avx512f", "avx512vl",
    "avx512bw", "asimd", "sve", "sve2", "mops",
  ]

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

  /// A file of the kernel's, which does not say how long it is.
  private static func contents(of path: String) -> String {
    guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return "" }
    return String(decoding: data, as: UTF8.self)
  }
}
