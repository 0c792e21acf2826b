import AllocationTraces

/// What takes a program's events in one of the formats that can be written.
protocol TraceSink: AnyObject {
  /// The calls that were written.
  var callCount: UInt64 { get }
  /// Appends an event.
  func append(_ event: TraceEvent) throws(TraceWriteError)
  /// Appends an event with its call stack and weight, where the format has a place for them.
  func append(_ event: TraceEvent, _ values: TraceColumnValues) throws(TraceWriteError)
  /// Writes what is left, and the counts where the format has them.
  func finish(_ text: TraceText) throws(TraceWriteError)
}

extension TraceSink {
  func append(_ event: TraceEvent, _ values: TraceColumnValues) throws(TraceWriteError) { try append(event) }
}

extension TraceConversion.Format {
  /// Creates a file of this format.
  func sink(path: String, _ text: TraceText, _ stacks: CallStackTable = CallStackTable()) throws(TraceWriteError)
    -> any TraceSink
  {
    switch self {
    case .hltrace: try TraceFileWriter(path: path, TraceText(program: text.program, command: text.command))
    case .jsonl, .csv: try TraceLines(path: path, self, stacks)
    case .heaptrack:
      throw TraceWriteError("heaptrack's format can only be read; name a .hltrace, .jsonl or .csv file to write")
    }
  }
}
