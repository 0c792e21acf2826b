import AllocationTraces
import Foundation

/// A trace file, `HLTRACE1` or `HLTRACE2`: a real program's calls of the malloc family, in their order.
public struct TraceFile: Sendable {
  /// The file's name, without folder and extension.
  public let name: String

  /// The file's path.
  public let path: String

  /// The decoded texts of the recording.
  public let text: TraceText

  /// The format's version.
  public let version: Int

  /// Whether the trace has its end. Version 1 does not say, and counts as whole.
  public let isWhole: Bool

  let file: MappedFile

  /// The extension of a trace's file name.
  public static let fileExtension = "hltrace"

  /// Maps the file at `path` and decodes its texts.
  ///
  /// - Throws: ``TraceFileError`` when the file cannot be read or does not start as a trace does.
  public init(path: String) throws(TraceFileError) {
    do throws(MappedFile.Failure) {
      file = try MappedFile(path)
    } catch {
      throw TraceFileError(path, .unreadable(reason: error.reason))
    }
    do throws(TraceFileError.Finding) {
      version = try Self.malformed(file) { bytes throws(TraceError) in try TraceBlock.version(of: bytes) }
      (text, isWhole) = try version == 1 ? (Self.text(ofVersion1: file), true) : Self.texts(of: file)
    } catch {
      throw TraceFileError(path, error)
    }
    self.path = path
    name = URL(filePath: path).deletingPathExtension().lastPathComponent
  }

  /// One sentence on whose behaviour this is.
  public var summary: String {
    "\(text.program ?? "a program")\(text.command.map { ", \($0)" } ?? ""), recorded\(isWhole ? "" : " and cut off")"
  }

  /// The file's bytes.
  public var byteCount: Int { file.count }

  /// Passes every event to `body`, in order, with the place at which a damage would be named, until `body` says false.
  ///
  /// - Throws: ``TraceFileError`` at the first damage, and what `body` throws, with the file's name.
  /// - Complexity: O(*n*) for *n* events; memory for one block.
  func forEachEvent(
    _ body: (TraceEvent, TracePlace) throws(TraceFileError.Finding) -> Bool
  ) throws(TraceFileError) {
    try forEachEvent(hasColumns: false) { (event, place, _) throws(TraceFileError.Finding) in try body(event, place) }
  }

  /// As ``forEachEvent(_:)``, with the call's stack and weight where the trace has them and `hasColumns` asks for them.
  func forEachEvent(
    hasColumns: Bool, _ body: (TraceEvent, TracePlace, TraceColumnValues) throws(TraceFileError.Finding) -> Bool
  ) throws(TraceFileError) {
    do throws(TraceFileError.Finding) {
      if version == 1 {
        let header = try Self.malformed(file) { bytes throws(TraceError) in try TraceHeader(decoding: bytes) }
        var decoder = TraceDecoder(after: header)
        _ = try file.withBytes { bytes throws(TraceFileError.Finding) in
          var columns = TraceColumns()
          var forgotten = 0
          return try Self.pass(bytes, from: &decoder, &columns, block: nil) {
            (event, place, values) throws(TraceFileError.Finding) in
            if place.byteOffset - forgotten >= MappedFile.forgottenByteCount {
              file.forget(forgotten..<place.byteOffset)
              forgotten = place.byteOffset
            }
            return try body(event, place, values)
          }
        }
      } else {
        try forEachEventOfBlocks(hasColumns: hasColumns, body)
      }
    } catch {
      throw TraceFileError(path, error)
    }
  }

  private func forEachEventOfBlocks(
    hasColumns: Bool, _ body: (TraceEvent, TracePlace, TraceColumnValues) throws(TraceFileError.Finding) -> Bool
  ) throws(TraceFileError.Finding) {
    var blocks = TraceBlocks(file)
    var objectCount: UInt64 = 0
    while true {
      let mayGoOn = try blocks.next({ $0 == .events }) {
        (block, content, offset) throws(TraceFileError.Finding) -> Bool in
        guard block.kind == .events else { return true }
        let end = offset + TraceBlock.headerByteCount + Int(block.storedByteCount)
        var columns = hasColumns ? try Self.columns(of: file, from: end) : TraceColumns()
        guard block.firstObject == objectCount else { throw .missingBlock(byteOffset: offset) }
        var decoder = TraceDecoder(objectCount: objectCount)
        if try !body(.threadBecomes(number: UInt64(block.thread)), TracePlace(block: offset, byteOffset: 0), .none) {
          return false
        }
        let isWanted = try Self.pass(content, from: &decoder, &columns, block: offset, body)
        objectCount = decoder.objectCount
        return isWanted
      }
      guard mayGoOn ?? false else { return }
    }
  }

  /// Passes the events of one run of bytes.
  @inline(__always)
  private static func pass(
    _ bytes: Span<UInt8>, from decoder: inout TraceDecoder, _ columns: inout TraceColumns, block: Int?,
    _ body: (TraceEvent, TracePlace, TraceColumnValues) throws(TraceFileError.Finding) -> Bool
  ) throws(TraceFileError.Finding) -> Bool {
    while true {
      let place = TracePlace(block: block, byteOffset: decoder.position)
      let event: TraceEvent?
      do throws(TraceError) {
        event = try decoder.next(in: bytes)
      } catch {
        throw block.map { .malformedBlock(error, byteOffset: $0) } ?? .malformed(error)
      }
      guard let event else { return true }
      if try !body(event, place, columns.next(event)) { return false }
    }
  }

  private static func malformed<Value>(
    _ file: MappedFile, _ body: (Span<UInt8>) throws(TraceError) -> Value
  ) throws(TraceFileError.Finding) -> Value {
    do throws(TraceError) {
      return try file.withBytes(body)
    } catch {
      throw .malformed(error)
    }
  }

  private static func text(ofVersion1 file: MappedFile) throws(TraceFileError.Finding) -> TraceText {
    let header = try malformed(file) { bytes throws(TraceError) in try TraceHeader(decoding: bytes) }
    return try file.withBytes { bytes throws(TraceFileError.Finding) in
      try TraceText(json: bytes.extracting(header.text), byteOffset: header.text.lowerBound)
    }
  }

  /// The texts of a trace of version 2, the later ones over the earlier ones, and whether the trace has its end.
  private static func texts(of file: MappedFile) throws(TraceFileError.Finding) -> (TraceText, isWhole: Bool) {
    var text = TraceText()
    var blocks = TraceBlocks(file)
    // The first block is a text. Where the trace has its end, that says where the last text is; else there is none.
    _ = try blocks.next { (block, content, offset) throws(TraceFileError.Finding) in
      if block.kind == .text { text.merge(try TraceText(json: content, byteOffset: offset)) }
    }
    guard let end = TraceIndex.end(of: file) else { return (text, false) }
    blocks = TraceBlocks(file, from: end.textOffset)
    _ = try blocks.next { (block, content, offset) throws(TraceFileError.Finding) in
      if block.kind == .text { text.merge(try TraceText(json: content, byteOffset: offset)) }
    }
    return (text, true)
  }
}

extension TraceFile {
  /// The trace as a workload.
  ///
  /// - Throws: ``TraceFileError`` at the first event that is malformed or names an object that has ended, and when the
  ///   events do not agree with the text's counts.
  /// - Complexity: O(*n*) for *n* events, in time and memory.
  public func workload() throws(TraceFileError) -> Workload {
    var reader = TraceReader(eventCount: text.counts["events"] ?? 0)
    try forEachEvent { (event, place) throws(TraceFileError.Finding) in
      try reader.take(event, at: place.byteOffsetInFile)
      return true
    }
    do throws(TraceFileError.Finding) {
      try reader.counts.check(against: text.counts)
    } catch {
      throw TraceFileError(path, error)
    }
    return Workload(
      name: name, summary: summary, threadCount: Int(reader.counts.threads), objectCount: reader.objectCount,
      steps: reader.steps)
  }
}

/// The place of an event in a trace.
struct TracePlace {
  /// The start of the block; nil in version 1.
  let block: Int?
  /// The event's start in the block's content; in version 1, in the file.
  let byteOffset: Int

  /// The place that a message names: the event in version 1, its block in version 2.
  var byteOffsetInFile: Int { block ?? byteOffset }
}
