/// A Swift file imports a module only if it uses a name of it: an import that nobody needs tells the reader of a
/// dependency that is none, and keeps it alive in the manifest. The rule checks the modules and shims of this tree and
/// the modules in `toolchainModules`; it has no list of the names of Foundation, Glibc and the packages.
///
/// The rule reads words, not types, and keeps silent where they do not decide. A member counts as used when any word
/// behind a dot has its name, and when a word alone has it that the file does not bind itself. An import of a module
/// whose members have common names can therefore stay unseen. A shim that includes more than the smallest headers of
/// the system passes on names that nobody can list, and counts as used. Operators have no words: the rule would find
/// fault with a file that takes nothing else from a module. There is none.
struct ImportsAreUsed: TidyRule {
  func offences(in tree: SourceTree) -> [Offence] {
    let names = NamesByModule(tree)
    return tree.files(in: "Sources", "Benchmarks", "Tests").flatMap { file in
      file.imports.compactMap { statement in
        guard let module = names.of(statement.module, isTestable: statement.isTestable),
          !file.uses(module, called: statement.module)
        else { return nil }
        return Offence(file.path, statement.line, "No name of \(statement.module) is used here: the import can go.")
      }
    }
  }

  /// What can be said about modules of the toolchain.
  static let toolchainModules: [String: ModuleNames] = [
    "Builtin": ModuleNames(free: ["Builtin"]),
    "Synchronization": ModuleNames(
      free: [
        "Atomic", "AtomicLazyReference", "AtomicLoadOrdering", "AtomicOptionalRepresentable", "AtomicRepresentable",
        "AtomicStoreOrdering", "AtomicUpdateOrdering", "Mutex", "WordPair", "atomicMemoryFence",
        // The labels of every atomic operation.
        "ordering", "successOrdering", "failureOrdering",
      ],
      members: ["withLock", "withLockIfAvailable"]),
    "Testing": ModuleNames(
      free: [
        "Attachment", "Bug", "Comment", "Confirmation", "ExitTest", "Issue", "SourceLocation", "Suite", "Tag", "Test",
        "TestScoping", "Trait", "confirmation", "expect", "require", "withKnownIssue",
      ]),
  ]
}

/// The names of every module of a tree that Swift files can import.
private struct NamesByModule {
  private var plain = ImportsAreUsed.toolchainModules
  private var testable: [String: ModuleNames] = [:]

  init(_ tree: SourceTree) {
    for target in Manifest(tree).targets {
      if target.isShim {
        let headers = tree.files(in: target.folder + "/include", as: [.c])
        if !headers.isEmpty { plain[target.name] = ModuleNames(headers: headers) }
      } else {
        let files = tree.files(in: target.folder)
        plain[target.name] = ModuleNames(swift: files, isTestable: false)
        testable[target.name] = ModuleNames(swift: files, isTestable: true)
      }
    }
  }

  /// The names of a module, nil when nothing is known about it.
  func of(_ module: String, isTestable: Bool) -> ModuleNames? {
    isTestable ? testable[module] ?? plain[module] : plain[module]
  }
}

extension SourceFile {
  /// Whether the file has a word outside its imports that can be a name of `module`.
  fileprivate func uses(_ module: ModuleNames, called name: String) -> Bool {
    if module.isOpen { return true }
    let importing = Set(imports.flatMap(\.words))
    var membersAlone: Set<String> = []
    for (index, word) in words.enumerated() where !importing.contains(index) {
      if word.name == name { return true }
      if module.members.contains(word.name) {
        if word.isMember { return true }
        membersAlone.insert(word.name)
      } else if !word.isMember && module.hasFree(word.name) {
        return true
      }
    }
    return !membersAlone.isEmpty && !membersAlone.isSubset(of: namesBound)
  }

  /// The names that the file itself binds: behind a keyword that declares, or before a colon, as parameters are.
  private var namesBound: Set<String> {
    var names: Set<String> = []
    let binding: Set<String> = ["let", "var", "func", "case", "for", "in"]
    for (index, word) in words.enumerated() {
      let isDeclared = index > 0 && binding.contains(words[index - 1].name)
      if isDeclared || firstCode(at: word.range.upperBound)?.byte == ASCII.colon { names.insert(word.name) }
    }
    return names
  }
}
