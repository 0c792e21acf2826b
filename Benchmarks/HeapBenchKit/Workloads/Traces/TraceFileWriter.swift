import AllocationTraces
import Foundation
import Glibc

// Writes a trace of version 2. The events, and the columns that belong to them, fill a block; the block is compressed
// and written once it is full. A crash thus loses at most the last block, and memory is bounded by one block.

/// Writes a trace file of version 2.
final class TraceFileWriter: TraceSink {
  /// A full block's bytes of events.
  private static let fullByteCount = 256 << 10

  private let path: String
  private let descriptor: Int32
  private var offset: UInt64 = 0
  private var index = TraceIndex()
  private var encoder = TraceEncoder()
  private var block = OpenBlock()
  private var counts = TraceCounts()
  private var columns: [TraceColumn]
  private var thread: UInt64 = 0
  /// The calls that were written.
  private(set) var callCount: UInt64 = 0
  private var nanoseconds: UInt64 = 0
  /// The bytes of the live objects, which the closing text's counts need.
  private var byteCounts: [UInt64: UInt64] = [:]

  /// What the block that is being filled started with.
  private struct OpenBlock {
    var events: [UInt8] = []
    var thread: UInt64 = 0
    var firstCall: UInt64 = 0
    var firstObject: UInt64 = 0
    var nanoseconds: UInt64 = 0
  }

  /// Creates or replaces the file at `path`.
  ///
  /// - Parameters:
  ///   - text: What is known at the start.
  ///   - columns: The kinds of columns beside the events.
  init(path: String, _ text: TraceText, columns: [TraceBlockKind] = []) throws(TraceWriteError) {
    self.path = path
    self.columns = columns.map { TraceColumn($0) }
    // SAFETY: open reads a C string.
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw TraceWriteError("cannot write '\(path)': \(systemText(errno))") }
    block.events.reserveCapacity(Self.fullByteCount + 64)
    try write([UInt8](capacity: TraceBlock.magicByteCount) { TraceBlock.encodeMagic(into: &$0) })
    try writeBlock(.text, text.json)
  }

  deinit { close(descriptor) }

  func append(_ event: TraceEvent) throws(TraceWriteError) { try append(event, nanoseconds: nil, .none) }

  /// Appends an event that happened at a moment of the recording, and the values of its columns.
  func append(
    _ event: TraceEvent, nanoseconds: UInt64?, _ values: TraceColumnValues
  ) throws(TraceWriteError) {
    if block.events.count >= Self.fullByteCount { try endBlock() }
    let object = encoder.objectCount
    block.events.append(addingCapacity: TraceEvent.byteCountMax) { output in
      _ = encoder.encode(event, into: &output)
    }
    account(for: event, object)
    guard event.isCall else { return }
    callCount += 1
    let now = max(nanoseconds ?? self.nanoseconds, self.nanoseconds)
    for index in columns.indices { columns[index].append(values, event, nanoseconds: now - self.nanoseconds) }
    self.nanoseconds = now
  }

  private func account(for event: TraceEvent, _ object: UInt64) {
    switch event {
    case .allocate(let byteCount):
      counts.allocate += 1
      begin(object, byteCount)
    case .allocateAligned(let byteCount, _):
      counts.aligned += 1
      begin(object, byteCount)
    case .allocateZeroed(let byteCount):
      counts.zeroed += 1
      begin(object, byteCount)
    case .reallocate(let old, let byteCount):
      counts.reallocate += 1
      counts.bytesEnd(byteCounts.removeValue(forKey: old) ?? 0)
      begin(object, byteCount)
    case .deallocate(let old):
      counts.free += 1
      counts.bytesEnd(byteCounts.removeValue(forKey: old) ?? 0)
    case .threadBecomes(let number):
      thread = number
      counts.threads = max(counts.threads, number + 1)
    case .timePasses, .deallocateEarlier, .mark: break
    }
  }

  private func begin(_ object: UInt64, _ byteCount: UInt64) {
    byteCounts[object] = byteCount
    // A sum past 2^64 stays uncounted; the reader names such a trace.
    try? counts.bytesBegin(byteCount, at: 0)
  }

  private func endBlock() throws(TraceWriteError) {
    guard !block.events.isEmpty else { return }
    let start = offset
    let written = try writeBlock(.events, block.events)
    index.append(written, at: start)
    for position in columns.indices { try writeBlock(columns[position].kind, columns[position].take()) }
    block.events.removeAll(keepingCapacity: true)
    block.thread = thread
    block.firstCall = callCount
    block.firstObject = encoder.objectCount
    block.nanoseconds = nanoseconds
  }

  /// Writes the table of call stacks, behind all events.
  func append(_ stacks: CallStackTable) throws(TraceWriteError) {
    try endBlock()
    for piece in stacks.encoded(byteCountMax: TraceBlock.contentByteCountMax) { try writeBlock(.stackTable, piece) }
  }

  /// Writes the last block, the closing text with the counts, the index and the end.
  func finish(_ text: TraceText) throws(TraceWriteError) {
    try endBlock()
    let textOffset = offset
    var closing = text
    closing.merge(TraceText(program: nil, command: nil, counts: counts.figures))
    try writeBlock(.text, closing.json)
    let indexOffset = offset
    var content: [UInt8] = []
    for entry in index.entries {
      for number in [entry.offset, entry.firstCall, entry.firstObject, entry.nanoseconds] { content.append(number) }
      if content.count + TraceIndex.entryByteCount > TraceBlock.contentByteCountMax {
        try writeBlock(.index, content)
        content.removeAll()
      }
    }
    try writeBlock(.index, content)
    var end: [UInt8] = []
    end.append(indexOffset)
    end.append(textOffset)
    try writeBlock(.end, end, isCompressed: false)
  }

  @discardableResult
  private func writeBlock(
    _ kind: TraceBlockKind, _ content: [UInt8], isCompressed: Bool = true
  ) throws(TraceWriteError) -> TraceBlock {
    let frame = isCompressed ? Zstandard.compress(content) : nil
    let stored = frame ?? content
    let header = TraceBlock(
      kind, thread: UInt32(truncatingIfNeeded: block.thread), firstCall: block.firstCall,
      firstObject: block.firstObject, nanoseconds: block.nanoseconds, stored: stored.span,
      encoding: frame == nil ? .plain : .zstd, contentByteCount: content.count)
    try write([UInt8](capacity: TraceBlock.headerByteCount) { header.encode(into: &$0) })
    try write(stored)
    return header
  }

  private func write(_ bytes: [UInt8]) throws(TraceWriteError) {
    try writeAll(bytes, to: descriptor, path: path)
    offset += UInt64(bytes.count)
  }
}

extension [UInt8] {
  /// Appends a number of 64 bits, its lowest byte first.
  fileprivate mutating func append(_ number: UInt64) {
    for index in 0..<8 { append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
  }
}
