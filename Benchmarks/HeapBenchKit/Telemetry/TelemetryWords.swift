/// The table heaplab_telemetry_v1 of a process: the places of its figures, by name (heaplab_telemetry.h).
struct TelemetryWords {
  private let process: Int32
  private let values: [String: UInt64]

  /// The name of the symbol.
  static let symbol = "heaplab_telemetry_v1"

  private static let version: UInt32 = 1
  private static let headerByteCount = 16
  private static let wordByteCount = 32
  private static let nameByteCount = 24
  /// No version has more words.
  private static let wordMaximum = 4096

  /// The table of a process.
  init(of memory: ProcessMemory) throws(TelemetryError) {
    process = memory.process
    let library = try LoadedLibrary(in: process)
    guard let address = try library.address(of: Self.symbol, in: memory) else { throw .noLibrary(process) }
    let header = try memory.image(at: address, byteCount: Self.headerByteCount)
    let count = Int(header.load(12, as: UInt32.self))
    guard count > 0 else { throw .noGeneralHeap(process) }
    guard header.bytes.starts(with: Array("heaplab\0".utf8)) else { throw .impossible(process) }
    let version: UInt32 = header.load(8)
    guard version == Self.version else { throw .otherVersion(process, version: version) }
    guard count <= Self.wordMaximum else { throw .impossible(process) }
    let image = try memory.image(
      at: address &+ UInt64(Self.headerByteCount), byteCount: count * Self.wordByteCount)
    var values: [String: UInt64] = [:]
    for start in stride(from: 0, to: image.bytes.count, by: Self.wordByteCount) {
      let name = image.bytes[start..<start + Self.nameByteCount].prefix { $0 != 0 }
      values[String(decoding: name, as: UTF8.self)] = image.load(start + Self.nameByteCount)
    }
    self.values = values
  }

  // What a process shows is not trusted: words are bounded, and no sum of them can overflow.

  /// No address of a program is higher, and none of its figures is larger.
  static let wordBound: UInt64 = 1 << 57
  /// No offset in a record, no count of its elements and no size of a granule is larger.
  private static let numberBound: UInt64 = 1 << 17

  /// The word with a name: an address or a large count.
  subscript(name: String) -> UInt64 {
    get throws(TelemetryError) { try word(name, below: Self.wordBound) }
  }

  /// The word with a name: an offset, a size or a small count.
  func number(_ name: String) throws(TelemetryError) -> Int { Int(try word(name, below: Self.numberBound)) }

  /// The word with a name, whatever it is.
  func word(_ name: String, below bound: UInt64 = .max) throws(TelemetryError) -> UInt64 {
    guard let value = values[name] else { throw .noWord(process, name: name) }
    guard value < bound else { throw .impossible(process) }
    return value
  }

  /// What a reader says of words that do not fit each other.
  var impossible: TelemetryError { .impossible(process) }

  /// The word with a name: a shift of a 64-bit word.
  func shift(_ name: String) throws(TelemetryError) -> UInt64 { try word(name, below: 64) }
}
