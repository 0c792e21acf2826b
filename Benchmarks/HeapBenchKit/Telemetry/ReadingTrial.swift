import CLabBench

/// Many readings of one process, each checked for what no heap can hold: scripts/test-telemetry judges the reader by it.
public struct ReadingTrial: Sendable, Encodable {
  public private(set) var readingCount = 0
  /// How many were of one moment, and how many said that they were not.
  public private(set) var steadyCount = 0
  public private(set) var movedCount = 0
  /// How many failed, which a process that goes on never causes.
  public private(set) var failedCount = 0
  /// How many steady ones are impossible.
  public private(set) var impossibleCount = 0
  /// The time of a reading, from the look at /proc/PID/maps to the figures.
  public private(set) var medianNanoseconds: UInt64 = 0

  /// Reads a process `count` times.
  public init(process: Int32, count: Int) throws(TelemetryError) {
    var times: [UInt64] = []
    for _ in 0..<count {
      let start = lab_clock_nanoseconds()
      do throws(TelemetryError) {
        let reading = try HeapReader(process: process).read().reading
        times.append(lab_clock_nanoseconds() - start)
        if reading.isSteady { steadyCount += 1 } else { movedCount += 1 }
        if reading.isSteady, !reading.isPossible { impossibleCount += 1 }
      } catch .changed {
        failedCount += 1
      }
      readingCount += 1
    }
    medianNanoseconds = times.isEmpty ? 0 : times.sorted()[times.count / 2]
  }
}

extension HeapReading {
  /// Whether a heap can hold this: its parts are not more than the whole.
  var isPossible: Bool {
    let classBytes = classes.reduce(0) { $0 + $1.usedCount * $1.blockByteCount }
    return liveByteCount <= committedByteCount + mappedByteCount
      && spanResidentByteCount + arenaResidentByteCount + freeResidentByteCount <= committedByteCount
      && largeByteCount <= arenaByteCount && spanCount << 16 <= committedByteCount
      && liveByteCount + threadByteCount == classBytes + largeByteCount + mappedByteCount
      && classes.allSatisfy { $0.residentByteCount <= $0.spanCount << 16 }
  }
}
