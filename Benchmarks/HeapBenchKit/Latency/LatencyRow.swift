/// Blocks of a range of sizes, on a number of threads.
public struct LatencyRow: Hashable, Sendable {
  /// The least and the most bytes of a block.
  public let least: Int
  public let most: Int
  public let threadCount: Int

  /// The row of these sizes in bytes, of which there are 8 or more.
  public init(least: Int, most: Int, threadCount: Int) {
    self.least = least
    self.most = most
    self.threadCount = threadCount
  }

  /// The sizes that are measured unless others are asked for: those of most programs, and a churn of large ones.
  public static let usualSizes = [(least: 16, most: 64 << 10), (least: 4 << 10, most: 4 << 20)]
  /// The numbers of threads that are measured unless others are asked for.
  public static let usualThreadCounts = [1, 2, 8]

  /// The sizes that the driver measures.
  public static let byteCounts: ClosedRange<UInt64> = 8...(1 << 30)

  var sizes: String { "\(ByteCount(UInt64(least))) to \(ByteCount(UInt64(most)))" }

  /// The row in a table and a file's name.
  var title: String { "\(sizes), \(Figure.count(threadCount, "thread"))" }
  var fileName: String { "latency-\(least)-\(most)-\(threadCount).svg" }

  func driverArguments(operationCount: Int) -> [String] {
    ["tail", "\(least)", "\(most)", "--operations", "\(operationCount)", "--threads", "\(threadCount)"]
  }
}
