/// The targets that Package.swift names, as far as a reader of its text sees them: the entries of its list of core
/// modules, and the targets whose names are literals. Targets that it computes, such as those of tests, are left out.
struct Manifest {
  /// A target and what it declares.
  struct Target {
    let name: String
    /// Where its files are.
    let folder: String
    /// The modules and products that it declares, in order. An Embedded module goes by its ordinary name.
    let dependencies: [String]
    /// Where the manifest names it.
    let line: Int
    /// Whether it is compiled in both modes, and so may use nothing of the system but by shims.
    let isCore: Bool

    var isShim: Bool { folder.hasPrefix("CShims/") }
    var isOfTests: Bool { folder.hasPrefix("Tests/") }
  }

  static let path = "Package.swift"

  /// Lowest first: the shims, the core modules, then the others in order of the text.
  let targets: [Target]

  init(_ tree: SourceTree) {
    let calls = tree[Self.path].map { ManifestCall.all(in: $0) } ?? []
    let core = calls.filter { $0.name == "CoreModule" }.compactMap(Target.init(core:))
    let coreNames = Set(core.map(\.name))
    let others = calls.filter { $0.name == "target" || $0.name == "executableTarget" }.compactMap {
      Target($0, coreNames: coreNames)
    }
    targets = others.filter(\.isShim) + core + others.filter { !$0.isShim }
  }

  /// The target whose folder has the file at `path`.
  func target(ofFile path: String) -> Target? { targets.first { path.hasPrefix($0.folder + "/") } }

  /// How many targets stand below the one that is called `name`; nil when the manifest does not have it.
  func height(of name: String) -> Int? { targets.firstIndex { $0.name == name } }
}

extension Manifest.Target {
  /// `CoreModule("Name", imports: […], shims: […])`
  fileprivate init?(core call: ManifestCall) {
    guard let name = call.literals(of: nil).first else { return nil }
    self.init(
      name: name, folder: "Sources/\(name)", dependencies: call.literals(of: "imports") + call.literals(of: "shims"),
      line: call.line, isCore: true)
  }

  /// `.target(name: "Name", dependencies: […], path: "Folder")`
  fileprivate init?(_ call: ManifestCall, coreNames: Set<String>) {
    guard let name = call.literals(of: "name").first, !name.contains("\\(") else { return nil }
    let prefix = "Embedded"
    let dependencies = call.literals(of: "dependencies").map { name in
      let ordinary = String(name.dropFirst(prefix.count))
      return name.hasPrefix(prefix) && coreNames.contains(ordinary) ? ordinary : name
    }
    self.init(
      name: name, folder: call.literals(of: "path").first ?? "Sources/\(name)", dependencies: dependencies,
      line: call.line, isCore: false)
  }
}
