import Foundation

extension Encodable {
  /// The value as JSON for people and programs: indented, with keys in alphabetical order and a newline at the end.
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }
}
