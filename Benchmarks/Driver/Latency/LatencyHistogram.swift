/// A histogram of times in ticks, of a fixed size: every octave has 64 buckets, so that a time is known to one part in
/// 128, and exactly below 128 ticks (the layout of Tene's HdrHistogram).
struct LatencyHistogram: ~Copyable {
  private static let log2BucketCount = 6

  private static let bucketCount = (UInt64.bitWidth - log2BucketCount + 1) << log2BucketCount

  /// The buckets, and behind them the sum of their counts and the longest time.
  private let counts = MappedTable<UInt64>(count: bucketCount + 2)

  init() {}

  /// How many times were added.
  var count: Int { Int(counts[Self.bucketCount]) }
  /// The longest one, 0 without any.
  private(set) var maximum: UInt64 {
    get { counts[Self.bucketCount + 1] }
    nonmutating set { counts[Self.bucketCount + 1] = newValue }
  }

  @inline(__always) func add(_ ticks: UInt64) {
    let bucket = Self.bucket(of: ticks)
    counts[bucket] &+= 1
    counts[Self.bucketCount] &+= 1
    maximum = max(maximum, ticks)
  }

  /// Adds the times of another histogram.
  func add(_ other: borrowing LatencyHistogram) {
    for index in 0...Self.bucketCount { counts[index] &+= other.counts[index] }
    maximum = max(maximum, other.maximum)
  }

  /// Calls `body` with each time that was counted, in ticks, and how often it was. The longest one is exact.
  func forEach(_ body: (_ ticks: UInt64, _ count: Int) -> Void) {
    for bucket in 0..<Self.bucketCount where counts[bucket] != 0 {
      let isLast = bucket == Self.bucket(of: maximum)
      body(isLast ? maximum : Self.middle(of: bucket), Int(counts[bucket]))
    }
  }

  /// The time that so many in ten thousand do not exceed.
  ///
  /// - Complexity: O(1): linear in the number of buckets.
  func quantile(perTenThousand: Int) -> UInt64 {
    let rank = (count * perTenThousand + 9_999) / 10_000
    var seen = 0
    for bucket in 0..<Self.bucketCount {
      seen += Int(counts[bucket])
      if seen >= rank { return min(Self.middle(of: bucket), maximum) }
    }
    return maximum
  }

  /// Below 64 a bucket for each value; above, the six bits after the highest one choose among the octave's.
  @inline(__always) private static func bucket(of ticks: UInt64) -> Int {
    let shift = max(0, UInt64.bitWidth - 1 - log2BucketCount - ticks.leadingZeroBitCount)
    return shift << log2BucketCount &+ Int(truncatingIfNeeded: ticks >> UInt64(shift))
  }

  private static func middle(of bucket: Int) -> UInt64 {
    let shift = max(0, bucket >> log2BucketCount - 1)
    let first = UInt64(bucket - shift << log2BucketCount) << UInt64(shift)
    return first + UInt64(1) << UInt64(shift) / 2
  }
}
