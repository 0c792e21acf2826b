import Foundation

/// The JSON text of a trace: what was recorded, and counts for checking the events.
public struct TraceText: Sendable, Codable {
  /// The recorded program.
  public private(set) var program: String?

  /// How the program was run, or what it did.
  public private(set) var command: String?

  /// The names of the program's marks, by number.
  public private(set) var marks: [String] = []

  /// The numbers in the text by name, such as `events` and `peakLiveBytes`.
  public private(set) var counts: [String: UInt64] = [:]

  /// An empty text.
  init() {}

  /// Decodes a text, which starts at `byteOffset` of the file.
  init(json: Span<UInt8>, byteOffset: Int) throws(TraceFileError.Finding) {
    // SAFETY: the bytes are copied during the call.
    let data = unsafe json.withUnsafeBufferPointer { unsafe Data($0) }
    do {
      self = try JSONDecoder().decode(TraceText.self, from: data)
    } catch {
      throw .badText(byteOffset: byteOffset)
    }
  }

  /// A text with this content.
  init(program: String?, command: String?, marks: [String] = [], counts: [String: UInt64] = [:]) {
    self.program = program
    self.command = command
    self.marks = marks
    self.counts = counts
  }

  /// The text as JSON, its keys in order.
  var json: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and numbers can always be encoded.
    return (try? encoder.encode(self)).map { [UInt8]($0) } ?? Array("{}".utf8)
  }

  /// Takes over what a later text says.
  mutating func merge(_ later: TraceText) {
    program = later.program ?? program
    command = later.command ?? command
    if !later.marks.isEmpty { marks = later.marks }
    counts.merge(later.counts) { $1 }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    program = try values.decodeIfPresent(String.self, forKey: Key(stringValue: "program"))
    command = try values.decodeIfPresent(String.self, forKey: Key(stringValue: "command"))
    marks = (try? values.decodeIfPresent([String].self, forKey: Key(stringValue: "marks"))) ?? []
    counts = values.allKeys.reduce(into: [:]) { counts, key in
      if let count = try? values.decode(UInt64.self, forKey: key) { counts[key.stringValue] = count }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encodeIfPresent(program, forKey: Key(stringValue: "program"))
    try values.encodeIfPresent(command, forKey: Key(stringValue: "command"))
    if !marks.isEmpty { try values.encode(marks, forKey: Key(stringValue: "marks")) }
    for (name, count) in counts { try values.encode(count, forKey: Key(stringValue: name)) }
  }
}
