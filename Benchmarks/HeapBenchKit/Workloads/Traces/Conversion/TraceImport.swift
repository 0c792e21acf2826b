import AllocationTraces
import Foundation

/// Turns the lines of other recorders into events.
struct TraceImport {
  private let path: String
  private let reader: LineReader
  private let sink: any TraceSink
  private var objects: [String: UInt64] = [:]
  private var objectCount: UInt64 = 0
  private var threads: [Int: UInt64] = [:]
  private var thread: UInt64 = 0
  private var microseconds: UInt64 = 0
  private var text = TraceText()

  init(_ path: String, to sink: any TraceSink) throws(TraceImportError) {
    self.path = path
    self.sink = sink
    reader = try LineReader(path)
  }

  /// Reads JSON lines: see `docs/traces.md`.
  mutating func readJSONLines() throws {
    while let line = try reader.next() {
      if line.allSatisfy(\.isWhitespace) { continue }
      guard let values = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        let operation = values["op"] as? String
      else { throw failure("a line must be a JSON object with the key 'op'") }
      // What an export says about call stacks has no place in a trace without their addresses.
      if operation == "stack" { continue }
      try moveTo(thread: values["thread"] as? Int ?? 0, microseconds: values["microseconds"] as? UInt64)
      let object = ["object", "address", "ptr"].lazy.compactMap { values[$0] }.first.map { "\($0)" }
      switch operation {
      case "malloc", "calloc", "aligned_alloc", "posix_memalign", "memalign", "valloc":
        let size = try size(values)
        let alignment = values["alignment"] as? UInt64 ?? 0
        guard alignment.nonzeroBitCount <= 1 else {
          throw failure("an alignment must be a power of two, found \(alignment)")
        }
        try begin(
          operation == "calloc"
            ? .allocateZeroed(byteCount: size)
            : alignment > 1
              ? .allocateAligned(byteCount: size, alignmentLog2: UInt8(alignment.trailingZeroBitCount))
              : .allocate(byteCount: size), object)
      case "realloc":
        let old = (values["old"]).map { "\($0)" }
        guard let ended = old.flatMap({ objects.removeValue(forKey: $0) }) else {
          try begin(.allocate(byteCount: try size(values)), object)
          continue
        }
        try begin(.reallocate(object: ended, byteCount: try size(values)), object)
      case "free": try end(object)
      case "free_earlier": try sink.append(.deallocateEarlier)
      case "mark": try sink.append(.mark(number: values["object"] as? UInt64 ?? 0))
      default:
        throw failure("no operation is called '\(operation)'; there are malloc, calloc, aligned_alloc, realloc, free")
      }
    }
    try sink.finish(text)
  }

  /// Reads what heaptrack's library writes (`heaptrack --raw`): hexadecimal numbers behind a letter, `+ SIZE TRACE
  /// ADDRESS` for an allocation, `- ADDRESS` for a free, `c MILLISECONDS` for the time.
  mutating func readHeaptrack() throws {
    while let line = try reader.next() {
      let words = line.split(separator: " ")
      guard let letter = words.first else { continue }
      switch letter {
      case "x": text = TraceText(program: words.last.map { URL(filePath: String($0)).lastPathComponent }, command: nil)
      case "c": try moveTo(thread: 0, microseconds: try number(words, 1) * 1000)
      case "+":
        guard words.count == 4 else {
          throw failure("this is an interpreted recording, which has no addresses; record with 'heaptrack --raw'")
        }
        let address = String(words[3])
        // heaptrack records a realloc as a free and an allocation, and may lose a free.
        if objects[address] != nil { try end(address) }
        try begin(.allocate(byteCount: try number(words, 1)), address)
      case "-":
        guard words.count == 2 else { throw failure("a free must be '- ADDRESS'") }
        try end(String(words[1]))
      default: break
      }
    }
    try sink.finish(text)
  }

  private func number(_ words: [Substring], _ index: Int) throws -> UInt64 {
    guard index < words.count, let number = UInt64(words[index], radix: 16) else {
      throw failure("a hexadecimal number is missing")
    }
    return number
  }

  private func size(_ values: [String: Any]) throws -> UInt64 {
    guard let size = values["size"] as? UInt64 else { throw failure("the key 'size' must be a number of bytes") }
    return size
  }

  private mutating func moveTo(thread number: Int, microseconds now: UInt64?) throws {
    let dense = threads[number] ?? UInt64(threads.count)
    threads[number] = dense
    if dense != thread {
      thread = dense
      try sink.append(.threadBecomes(number: dense))
    }
    if let now, now >= microseconds + 1000 {
      try sink.append(.timePasses(microseconds: now - microseconds))
      microseconds = now
    }
  }

  private mutating func begin(_ event: TraceEvent, _ object: String?) throws {
    guard let object else { throw failure("an allocation must name its block by 'object' or 'address'") }
    guard objects[object] == nil else { throw failure("block \(object) is allocated twice without a free") }
    try sink.append(event)
    objects[object] = objectCount
    objectCount += 1
  }

  private mutating func end(_ object: String?) throws {
    guard let ended = object.flatMap({ objects.removeValue(forKey: $0) }) else {
      return try sink.append(.deallocateEarlier)
    }
    try sink.append(.deallocate(object: ended))
  }

  private func failure(_ finding: String) -> TraceImportError {
    TraceImportError(path, line: reader.lineNumber, finding)
  }
}
