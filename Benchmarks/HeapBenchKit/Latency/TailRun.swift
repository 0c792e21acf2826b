import Foundation

/// What one run of `heapbench-driver tail` measured.
struct TailRun: Sendable {
  /// The driver's first line.
  struct Counts: Decodable, Sendable {
    let operations: Int
    let threads: Int
    let nanoseconds: Int
    let ticks: Int
    let overheadTicks: Int
    let minorFaultCount: Int
    let majorFaultCount: Int
    let voluntarySwitchCount: Int
    let involuntarySwitchCount: Int
  }

  let counts: Counts
  /// The times of single calls, without the time of a reading of the clock.
  let mallocs: CallTimes
  let frees: CallTimes

  /// The run that the driver's text describes.
  ///
  /// - Throws: ``MeasurementFailure`` where it is not what the driver writes.
  init(parsing text: String) throws {
    let lines = text.split(separator: "\n")
    guard let first = lines.first, let counts = try? JSONDecoder().decode(Counts.self, from: Data(first.utf8)) else {
      throw MeasurementFailure("the driver answered '\(text.prefix(80))'")
    }
    let nanosecondsPerTick = Double(counts.nanoseconds) / Double(max(1, counts.ticks))
    var classes: [Substring: [(nanoseconds: Double, count: Int)]] = [:]
    for line in lines.dropFirst() {
      let words = line.split(separator: " ")
      guard words.count == 3, let ticks = Int(words[1]), let count = Int(words[2]) else {
        throw MeasurementFailure("the driver answered '\(line.prefix(80))'")
      }
      let nanoseconds = Double(max(0, ticks - counts.overheadTicks)) * nanosecondsPerTick
      classes[words[0], default: []].append((nanoseconds, count))
    }
    self.counts = counts
    mallocs = CallTimes(classes["malloc"] ?? [])
    frees = CallTimes(classes["free"] ?? [])
  }

  /// The times of all calls.
  var calls: CallTimes { CallTimes(merging: [mallocs, frees]) }
}

extension DriverProcess {
  /// Maps, writes and returns memory until the task is cancelled.
  func press(byteCount: Int) async {
    _ = try? await finish(["press", "\(byteCount)"], ["LD_PRELOAD": ""])
  }

  /// Times the calls of a pattern under an allocator.
  ///
  /// - Throws: ``MeasurementFailure``, or `CancellationError`.
  func tail(_ row: LatencyRow, operationCount: Int, under allocator: ComparedAllocator) async throws -> TailRun {
    let text = try await output(
      of: row.driverArguments(operationCount: operationCount), ["LD_PRELOAD": allocator.library ?? ""])
    return try TailRun(parsing: text)
  }
}
