import Assertions

/// The quantiles of the times of one function's calls.
struct CallLatency {
  let callCount: Int
  let p50Picoseconds: Int
  let p99Picoseconds: Int
  let p999Picoseconds: Int
  let p9999Picoseconds: Int
  let maximumPicoseconds: Int

  init(_ histogram: borrowing LatencyHistogram, overheadTicks: UInt64, picosecondsPerTick: Double) {
    func picoseconds(_ ticks: UInt64) -> Int {
      Int(Double(ticks - min(ticks, overheadTicks)) * picosecondsPerTick)
    }
    callCount = histogram.count
    p50Picoseconds = picoseconds(histogram.quantile(perTenThousand: 5_000))
    p99Picoseconds = picoseconds(histogram.quantile(perTenThousand: 9_900))
    p999Picoseconds = picoseconds(histogram.quantile(perTenThousand: 9_990))
    p9999Picoseconds = picoseconds(histogram.quantile(perTenThousand: 9_999))
    maximumPicoseconds = picoseconds(histogram.maximum)
  }

  /// Appends the quantiles as a JSON object.
  func append(to line: inout TextLine) {
    line.append("{\"calls\": ")
    line.append(callCount)
    line.append(key: "p50Picoseconds", p50Picoseconds)
    line.append(key: "p99Picoseconds", p99Picoseconds)
    line.append(key: "p999Picoseconds", p999Picoseconds)
    line.append(key: "p9999Picoseconds", p9999Picoseconds)
    line.append(key: "maximumPicoseconds", maximumPicoseconds)
    line.append("}")
  }
}
