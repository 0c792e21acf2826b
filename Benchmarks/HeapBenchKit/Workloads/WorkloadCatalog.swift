public import Foundation

// Where the profiles and traces are is found out when heapbench runs, never when it is built, so that a copied or
// moved executable finds them: by the environment, from the current folder upward, from the executable upward.

/// The profiles and traces that can be named.
public struct WorkloadCatalog: Sendable {
  /// The environment variable that names heaplab's folder, or its `Benchmarks`.
  public static let homeVariable = "HEAPBENCH_HOME"

  /// The folder that holds `Profiles` and `Traces`.
  public let folder: String

  /// Everything in it, profiles first, each kind in the order of the names.
  public let sources: [WorkloadSource]

  /// What is in `folder`, which holds `Profiles` or `Traces`, or both.
  ///
  /// - Throws: ``WorkloadCatalogError`` when it holds neither.
  public init(folder: String) throws(WorkloadCatalogError) {
    guard Self.isHome(folder) else { throw .noHome(folder) }
    self.folder = folder
    sources = WorkloadSource.Kind.allCases.flatMap { kind in
      let path = folder + "/" + kind.folder
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      // By code points: the order must not depend on the user's language.
      return names.filter { $0.hasSuffix("." + kind.fileExtension) && !$0.hasPrefix(".") }
        .sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        .map { WorkloadSource(kind: kind, path: path + "/" + $0) }
    }
  }

  /// The catalog of heaplab, wherever it is.
  ///
  /// - Parameters:
  ///   - environment: `HEAPBENCH_HOME` decides if it is there.
  ///   - currentFolder: Searched next, with the folders above it.
  ///   - executable: The program's path; the folders above it are searched last.
  /// - Throws: ``WorkloadCatalogError`` when it is nowhere, or not where `HEAPBENCH_HOME` says.
  public static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    currentFolder: String = FileManager.default.currentDirectoryPath,
    executable: String? = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  ) throws(WorkloadCatalogError) -> WorkloadCatalog {
    if let home = environment[homeVariable], !home.isEmpty {
      for folder in [home, home + "/Benchmarks"] where isHome(folder) {
        return try WorkloadCatalog(folder: folder)
      }
      throw .noHome(home)
    }
    for start in [currentFolder, executable ?? "/"] {
      var folder = URL(filePath: start).standardizedFileURL
      while true {
        let candidate = folder.appending(path: "Benchmarks").path
        if isHome(candidate) { return try WorkloadCatalog(folder: candidate) }
        guard folder.path != "/" else { break }
        folder.deleteLastPathComponent()
      }
    }
    throw .notFound
  }

  /// The source that `name` means: one of the catalog by its name, or a file by its path.
  ///
  /// A name with a slash or a known extension is a path. A name that is both a profile and a trace means the one
  /// that `kind` says, without it the profile.
  /// - Throws: ``WorkloadCatalogError`` when it means nothing, with a suggestion when a name is near.
  public func source(
    named name: String, kind: WorkloadSource.Kind? = nil
  ) throws(WorkloadCatalogError) -> WorkloadSource {
    let kinds = kind.map { [$0] } ?? WorkloadSource.Kind.allCases
    let candidates = sources.filter { kinds.contains($0.kind) }
    if let source = candidates.first(where: { $0.name == name }) { return source }
    for kind in WorkloadSource.Kind.allCases where name.hasSuffix("." + kind.fileExtension) {
      guard kinds.contains(kind) else { break }
      return WorkloadSource(kind: kind, path: name)
    }
    if name.contains("/"), let kind { return WorkloadSource(kind: kind, path: name) }
    throw .unknownName(name, kind: kind, known: candidates.map(\.name))
  }

  private static func isHome(_ folder: String) -> Bool {
    WorkloadSource.Kind.allCases.contains { kind in
      (try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + kind.folder)) != nil
    }
  }
}

/// Why a workload cannot be found: one line that names it and the way out.
public enum WorkloadCatalogError: Error, Hashable, CustomStringConvertible {
  /// A folder that was named has no workloads.
  case noHome(String)
  /// No folder has any.
  case notFound
  /// A name that is none of the known ones.
  case unknownName(String, kind: WorkloadSource.Kind?, known: [String])

  public var description: String {
    switch self {
    case .noHome(let folder):
      return
        "folder '\(folder)' holds no Profiles and no Traces; set \(WorkloadCatalog.homeVariable) to heaplab's folder"
    case .notFound:
      return "no profiles and traces found; run heapbench in heaplab's folder, or set "
        + "\(WorkloadCatalog.homeVariable) to it"
    case .unknownName(let name, let kind, let known):
      let thing = kind?.rawValue ?? "profile or trace"
      let suggestion = Spelling.suggestion(for: name, among: known)
      return "no \(thing) is called '\(name)'"
        + (suggestion.isEmpty ? "; there are \(known.joined(separator: ", "))" : suggestion)
    }
  }
}
