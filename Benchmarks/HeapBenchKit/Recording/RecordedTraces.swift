import AllocationTraces
import Foundation

/// Makes the traces of all processes that a recorded program had.
public struct RecordedTraces: Sendable {
  /// A trace that was written.
  public struct Written: Sendable {
    /// The file.
    public let path: String
    /// One line on what it holds.
    public let summary: String
    /// Why the recording ended before the program did; nil when it did not.
    public let remark: String?
  }

  /// What is written beside the events.
  public struct Detail: Sendable {
    /// What was recorded.
    let options: RecordingOptions
    /// Whether the command line is left out.
    let isAnonymous: Bool

    /// Everything that was recorded, or what tells nothing about the program.
    public init(_ options: RecordingOptions, isAnonymous: Bool) {
      self.options = options
      self.isAnonymous = isAnonymous
    }

    /// The columns.
    var columns: [TraceBlockKind] {
      [.times, .entries, .usableBytes] + (options.frameCountMax > 0 && !isAnonymous ? [.stacks] : [])
        + (options.sampleByteCount > 0 ? [.weights] : [])
    }
  }

  private let folder: String
  private let output: String

  /// The traces of the raw records in `folder`, of which the program's own goes to `output`.
  public init(folder: String, output: String) {
    self.folder = folder
    self.output = output
  }

  /// Writes the traces: that of the program itself, as its last `exec` left it, and one for each other process.
  ///
  /// - Throws: ``TraceWriteError``. Files that hold no recording are left out.
  public func write(
    _ ending: RecordedProgram.Ending, _ detail: Detail, progress: any ProgressMeter
  ) throws -> [Written] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let recordings = names.filter { $0.hasSuffix(".raw") }.compactMap { try? RawRecording(path: "\(folder)/\($0)") }
      .sorted { ($0.startTicks, $0.path) < ($1.startTicks, $1.path) }
    let main = recordings.last { $0.process == ending.process }
    progress.begin(weights: recordings.map { Double($0.file.count) })
    defer { progress.end() }
    var written: [Written] = []
    var taken: Set<String> = []
    for recording in recordings {
      let isMain = recording.path == main?.path
      var path = isMain ? output : name(for: recording.process, 0)
      var number = 0
      while !taken.insert(path).inserted {
        number += 1
        path = name(for: recording.process, number)
      }
      let trace = try write(recording, to: path, ending.nanosecondsPerTick, detail, progress)
      progress.completeWorkload()
      if let trace { isMain ? written.insert(trace, at: 0) : written.append(trace) }
    }
    return written
  }

  private func name(for process: Int, _ number: Int) -> String {
    let url = URL(filePath: output)
    let suffix = number == 0 ? "\(process)" : "\(process)-\(number)"
    return url.deletingPathExtension().path + ".\(suffix)." + TraceFile.fileExtension
  }

  private func write(
    _ recording: RawRecording, to path: String, _ nanosecondsPerTick: Double, _ detail: Detail,
    _ progress: any ProgressMeter
  ) throws -> Written? {
    guard recording.rings.contains(where: { !$0.isEmpty }) else { return nil }
    let program = recording.command.first.map { URL(filePath: $0).lastPathComponent }
    let text =
      detail.isAnonymous
      ? TraceText(program: nil, command: nil)
      : TraceText(program: program, command: Self.oneLine(recording.command))
    let writer = try TraceFileWriter(path: path, text, columns: detail.columns)
    let sampleByteCount = UInt64(detail.options.sampleByteCount)
    var merge = RecordingMerge(
      recording, nanosecondsPerTick: nanosecondsPerTick, sampleByteCount: sampleByteCount, to: writer)
    let expected = Double(recording.file.count) / Double(RawRecord.shortByteCount)
    try merge.run { calls in
      progress.show("\(URL(filePath: path).lastPathComponent)", share: min(1, Double(calls) / expected))
      return true
    }
    let outcome = merge.outcome
    var counts = ["earlierFrees": UInt64(outcome.earlierCount), "lostFrees": UInt64(outcome.lostFreeCount)]
    if sampleByteCount > 0 { counts["sampleBytes"] = sampleByteCount }
    if detail.columns.contains(.stacks) { try writer.append(merge.callStacks) }
    try writer.finish(
      TraceText(
        program: text.program, command: text.command, marks: merge.markNames, counts: counts))
    return Written(
      path: path, summary: Self.summary(outcome, program),
      remark: recording.failure == 0
        ? nil
        : "the recording of process \(recording.process) ended before the program did: "
          + "\(systemText(recording.failure)); the trace holds what came before")
  }

  /// The words in one line of at most 1,000 characters.
  private static func oneLine(_ words: [String]) -> String {
    String(words.joined(separator: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(1000))
  }

  private static func summary(_ outcome: RecordingMerge.Outcome, _ program: String?) -> String {
    var parts = [
      Figure.count(Int(outcome.callCount), "call"), Figure.count(outcome.threadCount, "thread"),
    ]
    if outcome.earlierCount > 0 {
      parts.append("\(Figure.count(outcome.earlierCount, "free")) of blocks from before the recording")
    }
    if outcome.lostFreeCount > 0 { parts.append("\(Figure.count(outcome.lostFreeCount, "free")) lost") }
    return parts.joined(separator: ", ") + (program.map { " · \($0)" } ?? "")
  }
}
