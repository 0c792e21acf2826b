import CLabBench
import Glibc

/// What an operation takes in time, for each page, beside a plain memset of the same tables' bytes.
struct PagingTiming: Sendable {
  /// The operation.
  let operation: PagingOperation
  /// Nanoseconds for each page or address, the median of the rounds.
  let nanoseconds: Double
  /// What setting the bytes of as many entries takes, for each page: the fastest of the rounds.
  let memsetNanoseconds: Double

  /// How many rounds there are; operation and memset take turns in each.
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
        // SAFETY: the block has so many bytes.
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
