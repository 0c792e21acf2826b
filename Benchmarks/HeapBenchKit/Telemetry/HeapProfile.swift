import Foundation

/// What a process's call sites hold, estimated from samples.
///
/// A block of s bytes is a sample with probability p = 1 - exp(-s / mean), independently of all others, and so stands for
/// 1 / p blocks (Horvitz and Thompson). The variance of a sum of x / p over samples is estimated by the sum of
/// (1 - p) (x / p)^2. An interval reaches 1.96 standard errors to both sides, and never below what was seen itself.
public struct HeapProfile: Sendable {
  /// A figure and its interval: the truth lies in it in 95 of 100 cases, if there are some dozens of samples.
  struct Estimate: Sendable, Encodable {
    var value = 0.0
    var low: Double { max(seen, value - margin) }
    var high: Double { value + margin }
    private var variance = 0.0
    private var seen = 0.0
    private var margin: Double { 1.96 * variance.squareRoot() }

    /// Adds a sample's `amount`.
    mutating func add(_ amount: Double, probability: Double) {
      value += amount / probability
      variance += (1 - probability) * (amount / probability) * (amount / probability)
      seen += amount
    }

    func divided(by number: Double) -> Estimate {
      var result = self
      result.value /= number
      result.seen /= number
      result.variance /= number * number
      return result
    }

    private enum CodingKeys: String, CodingKey { case value, low, high }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(value, forKey: .value)
      try container.encode(low, forKey: .low)
      try container.encode(high, forKey: .high)
    }
  }

  /// A call stack that allocated.
  struct Site: Sendable, Encodable {
    /// The functions, the innermost first.
    let functions: [String]
    /// How many samples of live blocks there are.
    let sampleCount: Int
    let liveBytes, liveObjects: Estimate
    /// The bytes a second that were allocated lately, those of blocks that were freed included.
    let allocatedBytesPerSecond: Estimate
    /// The bytes of free memory that its blocks keep from the system: of each span's free bytes with memory, the share that
    /// a block has in the span's used bytes.
    let pinnedFreeBytes: Estimate
  }

  /// What puts a site first.
  public enum Order: String, CaseIterable, Sendable {
    case live
    case objects
    case rate
    case pinned
  }

  let process: Int32
  let meanByteCount: UInt64
  let samples: SampleReading
  /// The sites, without an order.
  let sites: [Site]
  /// The sums over all sites.
  let total: Site
  /// The stack of each sample, as return addresses.
  let stacks: [[UInt64]]
  /// The text of /proc/PID/maps.
  let maps: String

  /// The profile of a process, read now.
  /// - Parameter isNamed: Whether functions' names are looked up; google-pprof does that itself.
  public init(_ process: Int32, isNamed: Bool = true) throws(TelemetryError) {
    let reader = try HeapReader(process: process)
    self.process = process
    samples = try reader.readSamples()
    meanByteCount = samples.meanByteCount
    let modules = try ProcessModules(of: process)
    maps = modules.text
    let spans = try reader.spans(around: samples.samples.filter(\.isLive).map(\.address))
    let unwinder = StackUnwinder(modules: modules)
    stacks = samples.samples.map { unwinder.unwind($0.registers, $0.stack) }
    var sums: [[UInt64]: Sum] = [:]
    var total = Sum()
    for (sample, stack) in zip(samples.samples, stacks) {
      let granule = (sample.address &- reader.places.base) / UInt64(reader.places.granuleByteCount)
      let amounts = Amounts(sample, mean: meanByteCount, span: spans[granule])
      sums[stack, default: Sum()].add(amounts)
      total.add(amounts)
    }
    let seconds = max(0.001, Double(samples.windowMilliseconds) / 1000)
    let names = isNamed ? Self.names(of: Set(stacks.joined()), modules) : [:]
    sites = sums.map { stack, sum in sum.site(stack.map { names[$0] ?? "0x" + String($0, radix: 16) }, seconds) }
    self.total = total.site([], seconds)
  }

  /// What a sample adds to its site.
  private struct Amounts {
    let byteCount, pinnedByteCount, probability: Double
    let isLive: Bool

    init(_ sample: HeapSample, mean: UInt64, span: (used: UInt64, free: UInt64)?) {
      byteCount = Double(sample.byteCount)
      probability = -expm1(-byteCount / Double(mean))
      isLive = sample.isLive
      if let span, span.used > 0 {
        pinnedByteCount = Double(span.free) * min(1, byteCount / Double(span.used))
      } else {
        pinnedByteCount = 0
      }
    }
  }

  private struct Sum {
    var sampleCount = 0
    var live = Estimate()
    var objects = Estimate()
    var allocated = Estimate()
    var pinned = Estimate()

    mutating func add(_ amounts: Amounts) {
      guard amounts.probability > 0 else { return }
      allocated.add(amounts.byteCount, probability: amounts.probability)
      guard amounts.isLive else { return }
      sampleCount += 1
      live.add(amounts.byteCount, probability: amounts.probability)
      objects.add(1, probability: amounts.probability)
      pinned.add(amounts.pinnedByteCount, probability: amounts.probability)
    }

    func site(_ functions: [String], _ seconds: Double) -> Site {
      Site(
        functions: functions, sampleCount: sampleCount, liveBytes: live, liveObjects: objects,
        allocatedBytesPerSecond: allocated.divided(by: seconds), pinnedFreeBytes: pinned)
    }
  }

  /// The names of the functions around return addresses.
  private static func names(of addresses: Set<UInt64>, _ modules: ProcessModules) -> [UInt64: String] {
    let addresses = addresses.sorted()
    var frames = addresses.map { address in
      let place = modules.place(of: address &- 1)
      return CallStackTable.Frame(module: place?.path, offset: place.map { $0.address &+ 1 } ?? address)
    }
    Symbolizer()?.name(&frames)
    return Dictionary(uniqueKeysWithValues: zip(addresses, frames.map(\.name)))
  }
}
