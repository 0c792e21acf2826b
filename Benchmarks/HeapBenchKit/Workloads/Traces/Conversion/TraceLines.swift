import AllocationTraces
import Foundation
import Glibc

/// A program's calls as lines of text: JSON or CSV. `docs/traces.md` has the keys.
final class TraceLines: TraceSink {
  private let path: String
  private let isJSON: Bool
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var objectCount: UInt64 = 0
  private var thread: UInt64 = 0
  private var microseconds: UInt64 = 0
  private let stacks: CallStackTable
  /// The stacks whose frames were written.
  private var writtenStacks: Set<UInt64> = []

  /// The calls so far.
  private(set) var callCount: UInt64 = 0

  /// Creates the file at `path`.
  init(
    path: String, _ format: TraceConversion.Format, _ stacks: CallStackTable = CallStackTable()
  ) throws(TraceWriteError) {
    self.path = path
    self.stacks = stacks
    isJSON = format == .jsonl
    // SAFETY: open reads a C string.
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw TraceWriteError("cannot write '\(path)': \(systemText(errno))") }
    if !isJSON { buffer += Array("op,thread,microseconds,object,old,size,alignment,weight,stack\n".utf8) }
  }

  deinit { close(descriptor) }

  func append(_ event: TraceEvent) throws(TraceWriteError) { try append(event, .none) }

  /// Appends an event; passages of time and changes of thread become keys of the calls after them.
  func append(_ event: TraceEvent, _ values: TraceColumnValues) throws(TraceWriteError) {
    let new = objectCount
    switch event {
    case .allocate(let size): line("malloc", object: new, size: size, values)
    case .allocateAligned(let size, let log2):
      line("aligned_alloc", object: new, size: size, alignment: UInt64(1) << UInt64(log2), values)
    case .allocateZeroed(let size): line("calloc", object: new, size: size, values)
    case .reallocate(let old, let size): line("realloc", object: new, old: old, size: size, values)
    case .deallocate(let object): line("free", object: object, values)
    case .deallocateEarlier: line("free_earlier", values)
    case .mark(let number): line("mark", object: number, values)
    case .timePasses(let passed): microseconds += passed
    case .threadBecomes(let number): thread = number
    }
    if event.makesObject { objectCount += 1 }
    if event.isCall { callCount += 1 }
    if buffer.count >= 1 << 18 { try flush() }
  }

  private func line(
    _ operation: String, object: UInt64? = nil, old: UInt64? = nil, size: UInt64? = nil, alignment: UInt64? = nil,
    _ values: TraceColumnValues
  ) {
    var numbers = [
      ("thread", Optional(thread)), ("microseconds", microseconds), ("object", object), ("old", old), ("size", size),
      ("alignment", alignment),
    ].map { ($0, $1.map(String.init)) }
    let weight = values.weightThousandths
    numbers.append(("weight", weight == 1000 ? nil : Figure.fixed(Double(weight) / 1000, decimals: 3)))
    if isJSON {
      if values.stack != 0 {
        write(stack: values.stack)
        numbers.append(("stack", String(values.stack)))
      }
      let keys = numbers.compactMap { key, number in number.map { ",\"\(key)\":\($0)" } }.joined()
      buffer += Array("{\"op\":\"\(operation)\"\(keys)}\n".utf8)
    } else {
      let cells = numbers.map { $1 ?? "" } + [folded(values.stack)]
      buffer += Array("\(operation),\(cells.joined(separator: ","))\n".utf8)
    }
  }

  /// Writes a stack's functions, the innermost first, before the first call with that stack.
  private func write(stack: UInt64) {
    guard writtenStacks.insert(stack).inserted else { return }
    struct Line: Encodable {
      let op = "stack"
      let stack: UInt64
      let frames: [String]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Strings and numbers can always be encoded.
    guard let data = try? encoder.encode(Line(stack: stack, frames: stacks.frames(of: stack).map(\.name))) else {
      return
    }
    buffer += data
    buffer.append(0x0A)
  }

  /// A stack's functions in one cell, the outermost first, as programs for flame graphs take them.
  private func folded(_ stack: UInt64) -> String {
    let names = stacks.frames(of: stack).reversed().map { $0.name.replacing(";", with: ":").replacing("\"", with: "'") }
    return names.isEmpty ? "" : "\"\(names.joined(separator: ";"))\""
  }

  /// Writes what is left.
  func finish(_ text: TraceText) throws(TraceWriteError) { try flush() }

  private func flush() throws(TraceWriteError) {
    try writeAll(buffer, to: descriptor, path: path)
    buffer.removeAll(keepingCapacity: true)
  }
}

/// Why a file cannot be written: one line.
public struct TraceWriteError: Error, Hashable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Writes all bytes to an open file.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(TraceWriteError) {
  var start = 0
  while start < bytes.count {
    // SAFETY: the buffer outlives the call, and `start` is inside it.
    let count = unsafe bytes.withUnsafeBytes {
      unsafe write(descriptor, $0.baseAddress.map { unsafe $0 + start }, $0.count - start)
    }
    guard count >= 0 || errno == EINTR else {
      throw TraceWriteError("cannot write '\(path)': \(systemText(errno)); free space, or name another file")
    }
    start += max(0, count)
  }
}
