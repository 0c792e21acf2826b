import Foundation

extension String {
  /// The text as one CSV field (RFC 4180): in quotes where it holds a comma, a quote or a line break.
  var quotedForCSV: String {
    contains { $0 == "," || $0 == "\"" || $0.isNewline }
      ? "\"" + replacingOccurrences(of: "\"", with: "\"\"") + "\"" : self
  }
}
