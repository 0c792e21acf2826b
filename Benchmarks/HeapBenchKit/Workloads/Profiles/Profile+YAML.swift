import Foundation
import Yams

// Reading a profile from YAML is strict: an unknown key is an error, and is never ignored. Figures are compared over
// years. A misspelt key that silently kept its default would change what they mean.

extension Profile {
  /// The extension of a profile's file name.
  public static let fileExtension = "yaml"

  /// The most threads of a profile.
  static let threadCountMax: UInt64 = 256
  /// The most bytes of an object or of a live set.
  static let byteCountMax: UInt64 = 1 << 40

  /// Reads the file at `path`.
  public init(path: String) throws(ProfileError) {
    let name = URL(filePath: path).deletingPathExtension().lastPathComponent
    let bytes: [UInt8]
    do throws(FileBytes.Failure) {
      bytes = try FileBytes.read(path)
    } catch {
      throw ProfileError(path, line: nil, "cannot be read: \(error.reason)")
    }
    guard let yaml = String(validating: bytes, as: UTF8.self) else {
      throw ProfileError(path, line: nil, "is no text in UTF-8; save it as such")
    }
    try self.init(name: name, yaml: yaml)
  }

  /// Reads a profile from the content of the file `fileName` (without extension).
  ///
  /// - Throws: ``ProfileError`` at the first mistake.
  public init(name fileName: String, yaml: String) throws(ProfileError) {
    let root: Node?
    do {
      root = try compose(yaml: yaml)
    } catch {
      throw ProfileError(fileName, yaml: error)
    }
    guard let root else { throw ProfileError(fileName, line: nil, "is empty; it must have keys of a profile") }
    let keys = try ProfileNode(profile: fileName, key: "a profile", node: root).keys(
      ["name", "summary", "threads", "turn", "populations", "phases", "repeat", "adversary"], of: "a profile")
    name = try keys.required("name").string()
    guard name == fileName else { throw try keys.required("name").mismatch("'\(fileName)', as the file's name") }
    summary = try keys.required("summary").string()
    let threads = Int(try keys["threads"]?.integer(in: 1...Self.threadCountMax) ?? 1)
    threadCount = threads
    turnLength = Int(try keys["turn"]?.integer(in: 1...1_000_000) ?? 32)
    behaviour = try Behaviour(keys, threadCount: threads)
  }
}

extension ProfileError {
  /// The error for a text that is no YAML, with Yams' explanation in one line.
  fileprivate init(_ profile: String, yaml error: any Error) {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(profile, line: mark.line, "no YAML: \(problem); check the indentation, colons and quotes up to here")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
      self.init(profile, line: context.mark.line, "a key may be there once, found \(keys) again; remove one")
    default:
      self.init(
        profile, line: nil, "is no YAML: \(error.localizedDescription.split(separator: "\n").joined(separator: " "))")
    }
  }
}
