import Foundation

extension SourceTree {
  /// The tree that this test was built from.
  static let repository: SourceTree = {
    var root = URL(filePath: #filePath)
    // This file is Tests/TidyTests/Source/SourceTree+Repository.swift.
    for _ in 0..<4 { root.deleteLastPathComponent() }
    return SourceTree(root: root)
  }()

  /// What the rules read of a checkout; what is built, recorded or fetched lies elsewhere.
  private static let folders = [".ci", "Benchmarks", "CShims", "Sources", "Tests", "docs", "scripts"]

  /// Reads the tree at `root`. Symbolic links are not followed: Sources/Embedded is a second view of Sources.
  private init(root: URL) {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: root.path)) ?? []
    var paths = names.filter { $0.hasSuffix(".md") || $0 == "Package.swift" }
    for folder in Self.folders {
      let contents = manager.enumerator(atPath: root.appending(path: folder).path)
      while let path = contents?.nextObject() as? String {
        if contents?.fileAttributes?[.type] as? FileAttributeType == .typeRegular { paths.append("\(folder)/\(path)") }
      }
    }
    self.init(
      paths.compactMap { path in
        guard Language(path: path) != nil, let text = try? Data(contentsOf: root.appending(path: path)) else {
          return nil
        }
        return SourceFile(path: path, text: Array(text))
      })
  }
}
