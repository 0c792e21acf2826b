import CLabDriver

/// The times of single calls: a thread replaces the block in a random slot, and every free and every malloc is timed.
///
/// The counter is read in order with the call before and the call after it. What a reading costs is measured beforehand
/// and subtracted. An interrupt between two readings counts as part of the call, under every allocator alike.
struct CallLatencies: ~Copyable {
  /// Some 2.6 MB of live blocks.
  private static let slotCount = 10_000
  private static let replacementCount = 2_000_000

  private let heap = MallocFamily()
  private let sizes: DrawnSizes
  private let slots = MappedTable<Block>(count: slotCount)
  private var random = Random(seed: 1)
  private let mallocs = LatencyHistogram()
  private let frees = LatencyHistogram()

  private init(_ sizes: DrawnSizes) {
    self.sizes = sizes
    for slot in 0..<Self.slotCount { slots[slot] = allocate(random.nextHalves().1) }
  }

  deinit { for slot in 0..<Self.slotCount { heap.deallocate(slots[slot]) } }

  /// Runs `percent` of the replacements.
  static func run(_ sizes: DrawnSizes, percent: Int) -> LatencyFigures {
    let overheadTicks = readingTicks()
    var latencies = CallLatencies(sizes)
    let faultCount = Residence.minorFaultCount
    let start = Elapsed.now
    let startTicks = lab_ordered_ticks()
    latencies.replace(replacementCount / 100 * percent)
    let ticks = lab_ordered_ticks() &- startTicks
    let elapsed = Elapsed.now - start
    let picosecondsPerTick = Double(elapsed.nanoseconds) * 1000 / Double(max(1, ticks))
    let minorFaultCount = Residence.minorFaultCount - faultCount
    return LatencyFigures(
      malloc: CallLatency(latencies.mallocs, overheadTicks: overheadTicks, picosecondsPerTick: picosecondsPerTick),
      free: CallLatency(latencies.frees, overheadTicks: overheadTicks, picosecondsPerTick: picosecondsPerTick),
      elapsed: elapsed, minorFaultCount: minorFaultCount)
  }

  /// The median difference of two readings with nothing between them, in ticks.
  static func readingTicks() -> UInt64 {
    let readings = LatencyHistogram()
    for _ in 0..<10_000 {
      let start = lab_ordered_ticks()
      readings.add(lab_ordered_ticks() &- start)
    }
    return readings.quantile(perTenThousand: 5_000)
  }

  @inline(never) private mutating func replace(_ operationCount: Int) {
    for _ in 0..<operationCount {
      let (place, bits) = random.nextHalves()
      let slot = Random.scaled(place, below: UInt32(truncatingIfNeeded: Self.slotCount))
      let byteCount = sizes.size(bits)
      let old = slots[slot]
      let start = lab_ordered_ticks()
      heap.deallocate(old)
      let middle = lab_ordered_ticks()
      let block = heap.allocate(byteCount)
      let end = lab_ordered_ticks()
      block.touch(slot)
      slots[slot] = block
      frees.add(middle &- start)
      mallocs.add(end &- middle)
    }
  }

  private func allocate(_ bits: UInt32) -> Block {
    let block = heap.allocate(sizes.size(bits))
    block.touch(0)
    return block
  }
}

/// The figures of a latency workload.
struct LatencyFigures {
  let malloc: CallLatency
  let free: CallLatency
  let elapsed: Elapsed
  let minorFaultCount: Int
}
