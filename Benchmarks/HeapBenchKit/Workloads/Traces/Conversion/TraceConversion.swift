import AllocationTraces
import Foundation

/// Turns traces into other files, and other files into traces.
public enum TraceConversion {
  /// A kind of file that holds a program's calls.
  public enum Format: String, CaseIterable, Sendable {
    /// A trace of version 2; reads version 1, too.
    case hltrace
    /// A JSON object in each line.
    case jsonl
    /// A line of keys, then one for each call.
    case csv
    /// What heaptrack's library writes; only read.
    case heaptrack

    /// The format that a file's name says; nil when it says none.
    public init?(path: String) {
      let name = URL(filePath: path).lastPathComponent
      if name.hasPrefix("heaptrack.") || name.contains(".heaptrack") {
        self = .heaptrack
        return
      }
      self.init(rawValue: URL(filePath: path).pathExtension.lowercased())
    }
  }

  /// What a conversion did.
  public struct Outcome: Sendable {
    /// The calls that were written.
    public let callCount: UInt64
    /// Whether the input had its end.
    public let isWhole: Bool

    /// The calls as text.
    public var callCountText: String { Figure.count(Int(callCount), "call") }
  }

  /// Converts the file at `input` and writes it to `output`.
  ///
  /// - Throws: ``TraceFileError``, ``TraceImportError``, or ``TraceWriteError``.
  /// - Complexity: O(*n*) for *n* events; memory for the live objects.
  public static func convert(
    _ input: String, _ inputFormat: Format, to output: String, _ outputFormat: Format
  ) throws -> Outcome {
    switch inputFormat {
    case .hltrace: try convert(TraceFile(path: input), to: output, outputFormat)
    case .csv: throw TraceImportError(input, line: 0, " is CSV, which is only written; convert a .jsonl file instead")
    case .jsonl, .heaptrack:
      try withSink(output, outputFormat) { sink in
        var lines = try TraceImport(input, to: sink)
        try inputFormat == .jsonl ? lines.readJSONLines() : lines.readHeaptrack()
      }
    }
  }

  private static func withSink(
    _ path: String, _ format: Format, _ body: (any TraceSink) throws -> Void
  ) throws -> Outcome {
    let sink = try format.sink(path: path, TraceText())
    try body(sink)
    return Outcome(callCount: sink.callCount, isWhole: true)
  }

  private static func convert(_ trace: TraceFile, to output: String, _ format: Format) throws -> Outcome {
    let sink = try format.sink(path: output, trace.text, trace.callStacks())
    var failure: (any Error)?
    try trace.forEachEvent(hasColumns: true) { (event, _, values) throws(TraceFileError.Finding) in
      do {
        try sink.append(event, values)
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    try sink.finish(trace.text)
    return Outcome(callCount: sink.callCount, isWhole: trace.isWhole)
  }
}

/// Why a file cannot be read as calls: one line with the file, the place and the remedy.
public struct TraceImportError: Error, Hashable, CustomStringConvertible {
  public let description: String

  /// A finding in a line, counted from 1; 0 for the whole file.
  init(_ path: String, line: Int, _ finding: String) {
    description = "'\(path)'\(line == 0 ? "" : " line \(line):") \(finding)"
  }
}
