import Foundation

/// The call stacks of a trace, by number from 1. Stacks share their frames.
struct CallStackTable: Sendable {
  /// A place in the program's code.
  struct Frame: Hashable, Sendable, Codable {
    /// The file that holds the code; nil for code of no file.
    var module: String?
    /// The virtual address in the file, of the instruction after the call; without a file, the address.
    var offset: UInt64
    /// The function, with a Swift or C++ name demangled.
    var function: String?
    /// The source file and its line.
    var file: String?
    var line: Int?

    /// The function, or where the code is if no name is known.
    var name: String {
      if let function { return function }
      let place = "0x" + String(offset, radix: 16)
      return module.map { "\(URL(filePath: $0).lastPathComponent)+\(place)" } ?? place
    }
  }

  /// The frames.
  var frames: [Frame] = []
  /// The frames of each stack, the innermost first. Stack 0 has none: it stands for calls without a stack.
  private(set) var stacks: [[Int]] = [[]]

  /// An empty table.
  init() {}

  /// Whether there is no stack.
  var isEmpty: Bool { stacks.count <= 1 }

  /// The frames of a stack, the innermost first; empty for a number that no stack has.
  func frames(of stack: UInt64) -> [Frame] {
    guard stack < UInt64(stacks.count) else { return [] }
    return stacks[Int(stack)].map { frames[$0] }
  }

  /// Adds a stack and returns its number.
  mutating func append(_ frames: [Int]) -> UInt64 {
    stacks.append(frames)
    return UInt64(stacks.count - 1)
  }
}

// The table in a trace: JSON lines, a frame before the stacks that have it.
//
//   {"frame":0,"function":"main","line":12,"file":"a.c","module":"/usr/bin/a","offset":4660}
//   {"frames":[0],"stack":1}

extension CallStackTable {
  private struct Line: Codable {
    var frame: Int?
    var module: String?
    var offset: UInt64?
    var function: String?
    var file: String?
    var line: Int?
    var stack: Int?
    var frames: [Int]?
  }

  /// The table as pieces of at most `byteCountMax` bytes, each of whole lines.
  func encoded(byteCountMax: Int) -> [[UInt8]] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var pieces: [[UInt8]] = []
    var piece: [UInt8] = []
    func add(_ line: Line) {
      // Strings and numbers can always be encoded.
      guard let data = try? encoder.encode(line), data.count < byteCountMax else { return }
      if piece.count + data.count + 1 > byteCountMax {
        pieces.append(piece)
        piece = []
      }
      piece += data
      piece.append(0x0A)
    }
    for (number, frame) in frames.enumerated() {
      add(
        Line(
          frame: number, module: frame.module, offset: frame.offset, function: frame.function, file: frame.file,
          line: frame.line))
    }
    for (number, frames) in stacks.enumerated().dropFirst() { add(Line(stack: number, frames: frames)) }
    return piece.isEmpty ? pieces : pieces + [piece]
  }

  /// Adds the lines of a piece; false for a line that is no frame or stack, or skips a number.
  mutating func decode(_ piece: Span<UInt8>) -> Bool {
    let decoder = JSONDecoder()
    // SAFETY: the bytes are copied during the call.
    let data = unsafe piece.withUnsafeBufferPointer { unsafe Data($0) }
    for text in data.split(separator: 0x0A) {
      guard let line = try? decoder.decode(Line.self, from: text) else { return false }
      if let number = line.frame {
        guard number == frames.count else { return false }
        frames.append(
          Frame(
            module: line.module, offset: line.offset ?? 0, function: line.function, file: line.file, line: line.line))
      } else {
        guard line.stack == stacks.count, let numbers = line.frames, numbers.allSatisfy(frames.indices.contains) else {
          return false
        }
        stacks.append(numbers)
      }
    }
    return true
  }
}
