import Foundation
import Testing

/// Each module's documentation shows the example that stands here, between the marks, to the letter.
@Suite struct ExamplesAreShownTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
  private static let root = folder.appending(path: "../..").standardizedFileURL

  /// The modules with a documentation catalog.
  static let modules: [String] = {
    let sources = root.appending(path: "Sources")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: sources.path())) ?? []
    return names.filter { FileManager.default.fileExists(atPath: catalog(of: $0).path()) }.sorted()
  }()

  private static func catalog(of module: String) -> URL {
    root.appending(path: "Sources/\(module)/\(module).docc/\(module).md")
  }

  @Test(arguments: modules) func theCatalogShowsTheExample(of module: String) throws {
    let source = try String(contentsOf: Self.folder.appending(path: "\(module)Example.swift"), encoding: .utf8)
    let catalog = try String(contentsOf: Self.catalog(of: module), encoding: .utf8)
    let example = try #require(Self.example(in: source), "no marks in \(module)Example.swift")
    #expect(catalog.contains("```swift\n\(example)\n```\n"), "\(module).md must show:\n\(example)")
  }

  @Test func everyCatalogIsFound() throws {
    let examples = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path()).filter {
      $0.hasSuffix("Example.swift")
    }
    #expect(examples.map { $0.replacing("Example.swift", with: "") }.sorted() == Self.modules)
    #expect(Self.modules.count >= 15)
  }

  /// The lines between the marks, moved to the margin.
  private static func example(in source: String) -> String? {
    let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
    guard let begin = lines.firstIndex(where: { $0.hasSuffix("// BEGIN") }),
      let end = lines.firstIndex(where: { $0.hasSuffix("// END") })
    else { return nil }
    let margin = lines[begin].prefix { $0 == " " }.count
    return lines[(begin + 1)..<end].map { $0.dropFirst(min(margin, $0.prefix { $0 == " " }.count)) }
      .joined(separator: "\n")
  }
}
