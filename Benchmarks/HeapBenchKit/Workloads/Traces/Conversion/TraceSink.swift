import AllocationTraces

/// What takes a program's events in one of the formats that can be written.
protocol TraceSink: AnyObject {
  /// The calls that were written.
  var callCount: UInt64 { get }
  /// Appends an event.
  func append(_ event: TraceEvent) throws(TraceWriteError)
  /// Writes what is left, and the counts where the format has them.
  func finish(_ text: TraceText) throws(TraceWriteError)
}

extension TraceConversion.Format {
  /// Creates a file of this format.
  func sink(path: String, _ text: TraceText) throws(TraceWriteError) -> any TraceSink {
    switch self {
    case .hltrace: try TraceFileWriter(path: path, TraceText(program: text.program, command: text.command))
    case .jsonl, .csv: try TraceLines(path: path, self)
    case .heaptrack:
      throw TraceWriteError("heaptrack's format can only be read; name a .hltrace, .jsonl or .csv file to write")
    }
  }
}
