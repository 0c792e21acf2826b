import CLabBench
import Glibc

/// The time of an operation for each page, beside a plain memset of the table entries' bytes.
struct PagingTiming: Sendable {
  /// The operation.
  let operation: PagingOperation
  /// The nanoseconds for each page or address: the median of the rounds.
  let nanoseconds: Double
  /// The nanoseconds to set the bytes of one entry with memset: the fastest round.
  let memsetNanoseconds: Double

  /// The number of rounds, in which operation and memset take turns.
  static let roundCount = 15

  /// Measures all operations.
  static func all() throws -> [PagingTiming] {
    try PagingOperation.allCases.map { operation in
      var run = try PagingRun()
      let byteCount = PagingOperation.pageCount * 8
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 4096)
      // SAFETY: allocated just now, and used by nobody afterwards.
      defer { unsafe bytes.deallocate() }
      var times: [Double] = []
      var memsetTimes: [Double] = []
      for round in 0..<roundCount {
        let start = lab_clock_nanoseconds()
        // SAFETY: the block has `byteCount` bytes.
        unsafe memset(bytes, Int32(round), byteCount)
        memsetTimes.append(Double(lab_clock_nanoseconds() - start))
        try run.run(operation) { work in
          let start = lab_clock_nanoseconds()
          try work()
          times.append(Double(lab_clock_nanoseconds() - start))
        }
      }
      let pageCount = Double(PagingOperation.pageCount)
      return PagingTiming(
        operation: operation, nanoseconds: times.sorted()[roundCount / 2] / pageCount,
        memsetNanoseconds: (memsetTimes.min() ?? 0) / pageCount)
    }
  }
}
