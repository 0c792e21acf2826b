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
    guard header.bytes.starts(with: Array("heaplab\0".utf8)) else { throw .noLibrary(process) }
    let version: UInt32 = header.load(8)
    guard version == Self.version else { throw .otherVersion(process, version: version) }
    let count = Int(header.load(12, as: UInt32.self))
    guard count > 0 else { throw .noGeneralHeap(process) }
    guard count <= Self.wordMaximum else { throw .changed(process) }
    let image = try memory.image(
      at: address + UInt64(Self.headerByteCount), byteCount: count * Self.wordByteCount)
    var values: [String: UInt64] = [:]
    for start in stride(from: 0, to: image.bytes.count, by: Self.wordByteCount) {
      let name = image.bytes[start..<start + Self.nameByteCount].prefix { $0 != 0 }
      values[String(decoding: name, as: UTF8.self)] = image.load(start + Self.nameByteCount)
    }
    self.values = values
  }

  /// The word with a name.
  subscript(name: String) -> UInt64 {
    get throws(TelemetryError) {
      guard let value = values[name] else { throw .noWord(process, name: name) }
      return value
    }
  }

  /// The word with a name as a number of this process: a count, a size or an offset.
  func number(_ name: String) throws(TelemetryError) -> Int { Int(truncatingIfNeeded: try self[name]) }
}
