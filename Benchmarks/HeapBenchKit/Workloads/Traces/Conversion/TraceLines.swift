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

  /// The calls so far.
  private(set) var callCount: UInt64 = 0

  /// Creates the file at `path`.
  init(path: String, _ format: TraceConversion.Format) throws(TraceWriteError) {
    self.path = path
    isJSON = format == .jsonl
    // SAFETY: open reads a C string.
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw TraceWriteError("cannot write '\(path)': \(systemText(errno))") }
    if !isJSON { buffer += Array("op,thread,microseconds,object,old,size,alignment\n".utf8) }
  }

  deinit { close(descriptor) }

  /// Appends an event; passages of time and changes of thread become keys of the calls after them.
  func append(_ event: TraceEvent) throws(TraceWriteError) {
    let new = objectCount
    switch event {
    case .allocate(let size): line("malloc", object: new, size: size)
    case .allocateAligned(let size, let log2):
      line("aligned_alloc", object: new, size: size, alignment: UInt64(1) << UInt64(log2))
    case .allocateZeroed(let size): line("calloc", object: new, size: size)
    case .reallocate(let old, let size): line("realloc", object: new, old: old, size: size)
    case .deallocate(let object): line("free", object: object)
    case .deallocateEarlier: line("free_earlier")
    case .mark(let number): line("mark", object: number)
    case .timePasses(let passed): microseconds += passed
    case .threadBecomes(let number): thread = number
    }
    if event.makesObject { objectCount += 1 }
    if event.isCall { callCount += 1 }
    if buffer.count >= 1 << 18 { try flush() }
  }

  private func line(
    _ operation: String, object: UInt64? = nil, old: UInt64? = nil, size: UInt64? = nil, alignment: UInt64? = nil
  ) {
    let numbers = [
      ("thread", Optional(thread)), ("microseconds", microseconds), ("object", object), ("old", old), ("size", size),
      ("alignment", alignment),
    ]
    if isJSON {
      let keys = numbers.compactMap { key, number in number.map { ",\"\(key)\":\($0)" } }.joined()
      buffer += Array("{\"op\":\"\(operation)\"\(keys)}\n".utf8)
    } else {
      buffer += Array("\(operation),\(numbers.map { $1.map(String.init) ?? "" }.joined(separator: ","))\n".utf8)
    }
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
