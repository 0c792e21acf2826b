/// The JSON text in a trace's header: what was recorded, and counts for checking the events.
public struct TraceText: Sendable, Decodable {
  /// The recorded program.
  public let program: String?

  /// How the program was run, or what it did.
  public let command: String?

  /// The numbers in the text by name, such as `events` and `peakLiveBytes`.
  public let counts: [String: UInt64]

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
    counts = values.allKeys.reduce(into: [:]) { counts, key in
      if let count = try? values.decode(UInt64.self, forKey: key) { counts[key.stringValue] = count }
    }
  }
}
