import Foundation

/// The kernel's files about the machine and this process, under a root that tests choose.
struct MachineFiles: Sendable {
  /// The folder that stands for `/`.
  let root: String

  init(root: String = "") { self.root = root }

  /// A file's text without the spaces around it; nil where it cannot be read.
  func text(_ path: String) -> String? {
    (try? String(contentsOfFile: root + path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// A file's number; nil where it has none, as in `max`.
  func number(_ path: String) -> UInt64? { text(path).flatMap { UInt64($0) } }

  /// The number in the line `NAME   N kB`, or `NAME N`, of a file; nil without such a line.
  func field(_ name: String, of path: String) -> UInt64? {
    for line in text(path)?.split(separator: "\n") ?? [] {
      guard let place = line.range(of: name) else { continue }
      return line[place.upperBound...].split { $0 == " " || $0 == "\t" }.first.flatMap { UInt64($0) }
    }
    return nil
  }

  /// The rest of the line `NAME   TEXT` of a file.
  func line(_ name: String, of path: String) -> String? {
    let line = text(path)?.split(separator: "\n").first { $0.hasPrefix(name) }
    return line.map { $0.dropFirst(name.count).trimmingCharacters(in: .whitespaces) }
  }

  /// The choice in a file such as `always [madvise] never`.
  func choice(_ path: String) -> String? {
    guard let text = text(path) else { return nil }
    guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") else { return text }
    return String(text[text.index(after: open)..<close])
  }

  /// The numbers that a list such as `0-3,8` names.
  static func numbers(_ list: String) -> [Int] {
    list.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last, last - first < 1 << 16 else { return [] }
      return Array(first...last)
    }
  }

  /// A list such as `0-3,8` of ascending numbers.
  static func list(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
  }

  /// The names in a folder, sorted.
  func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []).sorted()
  }
}
