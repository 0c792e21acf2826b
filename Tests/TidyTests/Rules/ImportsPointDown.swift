/// A module imports only what it declares in Package.swift, and declares only what stands below it there: a reader of
/// one module needs the names of those below it and of none above. The order is the manifest's own: the list
/// `coreModules`, lowest first, and behind it the preload, the driver, heapbench's library and heapbench. What a module
/// declares and no file of it imports is an offence, too. Tests may import what they like.
struct ImportsPointDown: TidyRule {
  /// What a core module may import without declaring it: the modules that come with the language and exist without a
  /// system.
  private static let languageModules: Set<String> = ["Builtin", "Swift", "Synchronization"]

  func offences(in tree: SourceTree) -> [Offence] {
    let manifest = Manifest(tree)
    let checked = manifest.targets.filter { !$0.isShim && !$0.isOfTests }
    return checked.flatMap { target in
      let files = tree.files(in: target.folder)
      return declarations(of: target, by: files, manifest) + files.flatMap { imports(of: $0, in: target, manifest) }
    } + strays(tree, manifest)
  }

  /// What the manifest says wrongly about `target`.
  private func declarations(of target: Manifest.Target, by files: [SourceFile], _ manifest: Manifest) -> [Offence] {
    let imported = Set(files.flatMap { $0.imports.map(\.module) })
    let height = manifest.height(of: target.name) ?? 0
    return target.dependencies.compactMap { dependency in
      if let other = manifest.height(of: dependency), other >= height {
        return Offence(
          Manifest.path, target.line, "\(target.name) declares \(dependency), which does not stand below it.")
      }
      if !imported.contains(dependency) {
        return Offence(
          Manifest.path, target.line, "\(target.name) declares \(dependency), which no file of it imports.")
      }
      return nil
    }
  }

  /// What a file of `target` imports without its being declared.
  private func imports(of file: SourceFile, in target: Manifest.Target, _ manifest: Manifest) -> [Offence] {
    file.imports.compactMap { statement in
      let module = statement.module
      if target.dependencies.contains(module) { return nil }
      guard manifest.height(of: module) != nil else {
        if !target.isCore || Self.languageModules.contains(module) { return nil }
        return Offence(
          file.path, statement.line, "\(target.name) imports \(module), but a core module reaches the system by shims.")
      }
      return Offence(
        file.path, statement.line, "\(target.name) imports \(module), which its entry in the manifest does not declare."
      )
    }
  }

  /// The folders that the manifest does not know, whose files nothing would hold to any order.
  private func strays(_ tree: SourceTree, _ manifest: Manifest) -> [Offence] {
    tree.files(in: "Sources", "Benchmarks").filter { manifest.target(ofFile: $0.path) == nil }.map {
      Offence($0.path, 1, "No target of the manifest that the test can read has this file's folder.")
    }
  }
}
