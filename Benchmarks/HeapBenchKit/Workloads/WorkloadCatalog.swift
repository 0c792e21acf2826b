public import Foundation

// heapbench finds the profiles and traces when it runs, not when it is built. A copied or moved executable still finds
// them: by the environment, from the current folder upward, or from the executable upward.

/// The profiles and traces that have names.
public struct WorkloadCatalog: Sendable {
  /// The environment variable that names heaplab's folder, or its `Benchmarks`.
  public static let homeVariable = "HEAPBENCH_HOME"

  /// The folder that holds `Profiles` and `Traces`.
  public let folder: String

  /// All files in the folder: profiles first, each kind in the order of the names.
  public let sources: [WorkloadSource]

  /// The catalog of `folder`, which holds `Profiles`, `Traces` or both.
  ///
  /// - Throws: ``WorkloadCatalogError`` when the folder holds neither.
  public init(folder: String) throws(WorkloadCatalogError) {
    guard Self.isHome(folder) else { throw .noHome(folder) }
    self.folder = folder
    sources = WorkloadSource.Kind.allCases.flatMap { kind in
      let path = folder + "/" + kind.folder
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      // By code points, since the order must not depend on the user's language.
      return names.filter { $0.hasSuffix("." + kind.fileExtension) && !$0.hasPrefix(".") }
        .sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        .map { WorkloadSource(kind: kind, path: path + "/" + $0) }
    }
  }

  /// The catalog of these traces alone.
  public init(traces paths: [String]) {
    folder = "."
    sources = paths.map { WorkloadSource(kind: .trace, path: $0) }
  }

  /// Finds heaplab's catalog.
  ///
  /// - Parameters:
  ///   - environment: Where `HEAPBENCH_HOME` is set, it alone decides.
  ///   - currentFolder: The folder to search next, with the folders above it.
  ///   - executable: The program's path; the folders above it are searched last.
  /// - Throws: ``WorkloadCatalogError`` when there is no catalog, or none where `HEAPBENCH_HOME` says.
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

  /// The source for `name`: a name in the catalog, or a file's path.
  ///
  /// A name with a known extension is a path; with a `kind`, a name with a slash is one too. For a name of both a
  /// profile and a trace, `kind` decides; without it the profile wins.
  ///
  /// - Parameter others: Names of other things that the caller knows.
  /// - Throws: ``WorkloadCatalogError`` for an unknown name: with the file or the workload of the other kind that was
  ///   probably meant, else with a suggestion when a known name is close.
  public func source(
    named name: String, kind: WorkloadSource.Kind? = nil, besides others: [String] = []
  ) throws(WorkloadCatalogError) -> WorkloadSource {
    let kinds = kind.map { [$0] } ?? WorkloadSource.Kind.allCases
    let candidates = sources.filter { kinds.contains($0.kind) }
    if let source = candidates.first(where: { $0.name == name }) { return source }
    for actual in WorkloadSource.Kind.allCases where name.hasSuffix("." + actual.fileExtension) {
      guard let kind, kind != actual else { return WorkloadSource(kind: actual, path: name) }
      throw .otherKind(name, kind: kind, actual: actual)
    }
    if let kind, let other = sources.first(where: { $0.name == name }) {
      throw .otherKind(name, kind: kind, actual: other.kind)
    }
    for kind in kinds where !name.isEmpty && FileManager.default.fileExists(atPath: "\(name).\(kind.fileExtension)") {
      throw .fileBeside(name, kind: kind)
    }
    if name.contains("/"), let kind { return WorkloadSource(kind: kind, path: name) }
    throw .unknownName(name, kind: kind, known: candidates.map(\.name) + others)
  }

  private static func isHome(_ folder: String) -> Bool {
    WorkloadSource.Kind.allCases.contains { kind in
      (try? FileManager.default.contentsOfDirectory(atPath: folder + "/" + kind.folder)) != nil
    }
  }
}

/// Why a workload cannot be found: one line that names it and the remedy.
public enum WorkloadCatalogError: Error, Hashable, CustomStringConvertible {
  /// The named folder has no workloads.
  case noHome(String)
  /// No searched folder has workloads.
  case notFound
  /// The name is unknown.
  case unknownName(String, kind: WorkloadSource.Kind?, known: [String])
  /// A name or a file of one kind, given for another.
  case otherKind(String, kind: WorkloadSource.Kind, actual: WorkloadSource.Kind)
  /// The name is unknown, and a file of this name with the extension of its kind exists.
  case fileBeside(String, kind: WorkloadSource.Kind)

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
    case .otherKind(let name, let kind, let actual):
      return "'\(name)' is no \(kind.rawValue) but a \(actual.rawValue); give it as --\(actual.rawValue) \(name)"
    case .fileBeside(let name, let kind):
      let path = name.contains("/") ? name : "./\(name)"
      return "no \(kind.rawValue) is called '\(name)', but there is a file: name it as \(path).\(kind.fileExtension)"
    }
  }
}
