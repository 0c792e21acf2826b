import Foundation

/// Finds installed allocators: in the loader's cache, in the standard library folders, and in the folders of compilers,
/// with which scudo comes.
public struct AllocatorSearch: Sendable {
  /// An allocator to compare with, and where it comes from.
  struct Peer: Sendable {
    let name: String
    /// The library's name for the loader, or the prefix of a compiler runtime's name.
    let library: String
    /// Where a user gets it.
    let remedy: String
    var isCompilerRuntime = false
  }

  static let peers = [
    Peer(name: "jemalloc", library: "libjemalloc.so.2", remedy: "Debian's libjemalloc2"),
    Peer(name: "mimalloc", library: "libmimalloc.so.2", remedy: "Debian's libmimalloc2.0"),
    Peer(name: "tcmalloc", library: "libtcmalloc_minimal.so.4", remedy: "Debian's libtcmalloc-minimal4"),
    Peer(name: "tbbmalloc", library: "libtbbmalloc_proxy.so.2", remedy: "Debian's libtbbmalloc2"),
    Peer(
      name: "scudo", library: "libclang_rt.scudo_standalone",
      remedy: "part of clang's runtime and of Swift's toolchain",
      isCompilerRuntime: true),
  ]

  /// The folders to search for libraries, in this order.
  let libraryFolders: [String]
  /// The folders in which compilers keep their runtimes.
  let runtimeFolders: [String]
  /// The paths in the loader's cache, by library name.
  let loaderCache: [String: String]

  /// A search of this machine.
  public init() {
    self.init(environment: ProcessInfo.processInfo.environment, loaderCache: Self.readLoaderCache())
  }

  /// A search with the `LD_LIBRARY_PATH` and `PATH` of this environment, and with this cache.
  init(environment: [String: String], loaderCache: [String: String], root: String = "") {
    let named = (environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":").map(String.init)
    let standard = ["/usr/local/lib", "/usr/lib64", "/lib64", "/usr/lib", "/lib"].map { root + $0 }
    let multiarch = Self.folders(in: "\(root)/usr/lib") { $0.contains("-linux-gnu") }
    libraryFolders = named + multiarch + standard
    // A toolchain of Swift or LLVM has bin beside lib. Debian's LLVM has a folder for each version.
    let programs = (environment["PATH"] ?? "").split(separator: ":").flatMap { folder in
      ["swift", "clang"].map { "\(folder)/\($0)" }
    }
    let toolchains = programs.filter { FileManager.default.isExecutableFile(atPath: $0) }.map { program in
      URL(filePath: program).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().path
    }
    let llvms = Self.folders(in: "\(root)/usr/lib") { $0.hasPrefix("llvm-") }
    runtimeFolders = (toolchains + llvms + ["\(root)/usr"]).flatMap { toolchain in
      Self.folders(in: "\(toolchain)/lib/clang") { _ in true }.flatMap { version in
        Self.folders(in: "\(version)/lib") { $0.contains("linux") }
      }
    }
    self.loaderCache = loaderCache
  }

  /// The installed peers, and a line for each that is missing.
  public func findPeers() -> (found: [ComparedAllocator], missing: [String]) {
    var found: [ComparedAllocator] = []
    var missing: [String] = []
    for peer in Self.peers {
      if let library = path(of: peer) {
        found.append(ComparedAllocator(name: peer.name, library: library))
      } else {
        missing.append("\(peer.name) is not installed (\(peer.remedy)) and not compared")
      }
    }
    return (found, missing)
  }

  private func path(of peer: Peer) -> String? {
    if peer.isCompilerRuntime {
      for folder in runtimeFolders {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let architecture = Self.architecture
        // In a folder for one architecture, the file's name does not name it.
        let wanted = [
          "\(peer.library)-\(architecture).so", folder.contains(architecture) ? "\(peer.library).so" : nil,
        ]
        if let name = wanted.compactMap({ $0 }).first(where: names.contains) { return "\(folder)/\(name)" }
      }
      return nil
    }
    let candidates = [loaderCache[peer.library]].compactMap { $0 } + libraryFolders.map { "\($0)/\(peer.library)" }
    return candidates.first { FileManager.default.isReadableFile(atPath: $0) }
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "aarch64"
    #else
      "unknown"
    #endif
  }

  private static func folders(in folder: String, where isWanted: (String) -> Bool) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter(isWanted).sorted().reversed().map { "\(folder)/\($0)" }
  }

  /// The libraries that `ldconfig -p` lists; empty where there is no such program.
  private static func readLoaderCache() -> [String: String] {
    let programs = ["/sbin/ldconfig", "/usr/sbin/ldconfig"]
    guard let program = programs.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else { return [:] }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = ["-p"]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return [:] }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return parseLoaderCache(text)
  }

  /// The paths of 64-bit libraries in lines `NAME (KIND) => PATH`, by name; of a repeated name the first.
  static func parseLoaderCache(_ text: String) -> [String: String] {
    var paths: [String: String] = [:]
    for line in text.split(separator: "\n") {
      guard let arrow = line.range(of: " => "), let name = line.split(whereSeparator: \.isWhitespace).first else {
        continue
      }
      let is64Bit = ["x86-64", "AArch64", "64bit"].contains { line.contains($0) }
      if is64Bit && paths[String(name)] == nil { paths[String(name)] = String(line[arrow.upperBound...]) }
    }
    return paths
  }
}
