import Foundation

/// A libheaplab.so in the memory of a process.
///
/// Its symbols are looked up in that memory, not in its file: the dynamic symbol table is loaded with the code. So strip,
/// an upgrade of the file and another root folder make no difference.
struct LoadedLibrary {
  /// Where the file's first byte lies.
  let base: UInt64

  /// The library in a process.
  init(in process: Int32) throws(TelemetryError) {
    guard let maps = ProcFile.text("/proc/\(process)/maps") else {
      throw ProcFile.exists("/proc/\(process)") ? .notAllowed(process) : .noProcess(process)
    }
    guard let base = Self.base(in: maps) else { throw .noLibrary(process) }
    self.base = base
  }

  /// The address of the first mapping of libheaplab.so, by its name, in the text of /proc/PID/maps.
  static func base(in maps: String) -> UInt64? {
    guard let name = maps.range(of: "/libheaplab.so") else { return nil }
    let start = maps[..<name.lowerBound].lastIndex(of: "\n").map { maps.index(after: $0) } ?? maps.startIndex
    return UInt64(maps[start...].prefix { $0 != "-" }, radix: 16)
  }

  /// The most entries of a dynamic section, and the most symbols of one hash bucket: what a process shows is not trusted.
  private static let entryMaximum = 256
  private static let chainMaximum = 4096

  /// The address of a symbol, nil where the library does not export it. System V ABI, "Dynamic Linking"; the hash table
  /// is GNU's.
  func address(of symbol: String, in memory: ProcessMemory) throws(TelemetryError) -> UInt64? {
    let header = try memory.image(at: base, byteCount: 64)
    guard header.load(0, as: UInt32.self) == 0x464C_457F else { return nil }
    let headerCount = Int(header.load(56, as: UInt16.self))
    let segments = try memory.image(at: base &+ header.load(32), byteCount: headerCount * 56)
    guard let dynamic = (0..<headerCount).first(where: { segments.load($0 * 56, as: UInt32.self) == 2 }) else {
      return nil
    }
    let byteCount = min(segments.load(dynamic * 56 + 40), UInt64(Self.entryMaximum * 16))
    let table = try memory.image(at: base &+ segments.load(dynamic * 56 + 16), byteCount: Int(byteCount))
    var entries: [UInt64: UInt64] = [:]
    for offset in stride(from: 0, to: table.bytes.count - 15, by: 16) {
      entries[table.load(offset)] = table.load(offset + 8, as: UInt64.self)
    }
    // The loader may have made these addresses absolute.
    func place(_ tag: UInt64) -> UInt64? { entries[tag].map { $0 < base ? base &+ $0 : $0 } }
    guard let strings = place(5), let symbols = place(6), let hash = place(0x6FFF_FEF5) else { return nil }
    let sizes = try memory.image(at: hash, byteCount: 16)
    let bucketCount: UInt32 = sizes.load(0)
    let firstHashed: UInt32 = sizes.load(4)
    guard bucketCount > 0 else { return nil }
    let buckets = hash &+ 16 &+ UInt64(sizes.load(8, as: UInt32.self)) * 8
    let wanted = symbol.utf8.reduce(UInt32(5381)) { $0 &* 33 &+ UInt32($1) }
    var index: UInt32 = try memory.image(at: buckets &+ UInt64(wanted % bucketCount) * 4, byteCount: 4).load(0)
    guard index >= firstHashed else { return nil }
    let name = Array(symbol.utf8) + [0]
    for _ in 0..<Self.chainMaximum {
      let link = buckets &+ (UInt64(bucketCount) + UInt64(index - firstHashed)) * 4
      let found: UInt32 = try memory.image(at: link, byteCount: 4).load(0)
      if found | 1 == wanted | 1 {
        let record = try memory.image(at: symbols &+ UInt64(index) * 24, byteCount: 24)
        let text = try memory.image(at: strings &+ UInt64(record.load(0, as: UInt32.self)), byteCount: name.count)
        if text.bytes == name { return base &+ record.load(8, as: UInt64.self) }
      }
      if found & 1 == 1 || index == .max { return nil }
      index += 1
    }
    return nil
  }
}

/// Files of /proc, which have no size before they are read.
enum ProcFile {
  /// The file as text, nil when it cannot be read.
  static func text(_ path: String) -> String? {
    // SAFETY: open reads a C string.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // SAFETY: the buffer has so many bytes.
      let count = unsafe read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { return nil }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }

  /// Whether there is such a file.
  static func exists(_ path: String) -> Bool {
    // SAFETY: access reads a C string.
    unsafe access(path, F_OK) == 0
  }
}
