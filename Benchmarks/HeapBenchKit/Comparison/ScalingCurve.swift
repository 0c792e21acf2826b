import Foundation

/// The time of an operation by the number of threads, for every allocator.
public struct ScalingCurve: Codable, Hashable, Sendable {
  /// The workload.
  public let name: String
  /// The allocators, in the order of the chart.
  public let allocators: [String]
  /// The numbers of threads measured so far.
  public internal(set) var threadCounts: [Int] = []
  /// The runs for each number of threads.
  public internal(set) var items: [ComparedItem] = []

  /// The numbers of threads to measure: from one to many more than most machines have processors.
  public static let allThreadCounts = [1, 2, 4, 8, 16, 32, 64]

  /// The workloads that run on any number of threads.
  public static let workloads = ["own-batches", "remote-frees", "producer-consumer-16-512", "larson-servers"]

  init(name: String, allocators: [String]) {
    self.name = name
    self.allocators = allocators
  }

  /// The time of an operation under an allocator, for each number of threads.
  func times(of allocator: String) -> [Double?] {
    items.map { $0.median(of: allocator) { Double($0.nanoseconds) / Double($0.operations) } }
  }

  /// A line for each allocator: its times, and a small chart of them. All charts have the same logarithmic scale.
  func text(style: TerminalStyle) -> String {
    let all = allocators.flatMap { times(of: $0) }.compactMap { $0 }
    let nameWidth = (allocators.map(\.count).max() ?? 0) + 2
    let heading =
      "threads".rightPadded(to: nameWidth) + threadCounts.map { "\($0)".leftPadded(to: 9) }.joined()
    var lines = [
      "\(name): elapsed time for each operation, by the number of threads.", "", style.text(heading, .strong),
    ]
    for allocator in allocators {
      let times = times(of: allocator)
      let cells = times.map { time in
        (time.map { Figure.preciseDuration(nanoseconds: $0) } ?? "failed").leftPadded(to: 9)
      }
      lines.append(
        allocator.rightPadded(to: nameWidth) + cells.joined() + "  "
          + Self.blocks(times, least: all.min() ?? 1, most: all.max() ?? 1))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Numbers as blocks of eight heights, on a logarithmic scale from `least` to `most`; a space for a missing number.
  static func blocks(_ values: [Double?], least: Double, most: Double) -> String {
    let heights = Array("▁▂▃▄▅▆▇█")
    let range = max(log2(most / least), 1)
    return String(
      values.map { value in
        guard let value else { return " " }
        return heights[min(heights.count - 1, Int(log2(value / least) / range * Double(heights.count)))]
      })
  }

  /// The name of the picture's file.
  public var fileName: String { "scaling-\(name).svg" }

  /// The curves as an SVG file.
  public var svg: String {
    let series = allocators.map { allocator in
      LogarithmicChart.Series(
        name: allocator,
        points: zip(threadCounts, times(of: allocator)).compactMap { count, time in
          time.map { (x: Double(count), y: $0) }
        })
    }
    return LogarithmicChart(
      title: "\(name) on 1 to \(threadCounts.last ?? 1) threads", xLabel: "threads", yLabel: "time of an operation",
      series: series, xMarks: .powersOfTwo, yText: LogarithmicChart.durationText
    ).svg
  }
}
