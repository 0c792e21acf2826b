/// A fixed number of calls that is measured by its memory: resident and live bytes, at the peak and at the end.
enum FootprintPattern {
  case sawtooth
  case oneSizePhases
  case mediumChurn
  case survivors(SizeRange, oneIn: Int)
  case returnAfterIdle
  case vectors
  case handOff
  case shortThreads
  case smallHeaps(threads: Int, blocks: Int)

  /// The most blocks held at a time.
  private var capacity: Int {
    switch self {
    case .sawtooth: 2_500_000
    case .oneSizePhases: 2_200_000
    case .mediumChurn: 100_000
    case .survivors(let sizes, _): Self.survivorBlockCount(sizes)
    case .returnAfterIdle: 100_000
    case .vectors: 1_000
    case .handOff: 200_000
    case .shortThreads, .smallHeaps: 1
    }
  }

  /// The tables of threads that hold blocks of their own; no table in most patterns.
  private var threadBlocks: ThreadBlocks {
    if case .smallHeaps(let threads, let blocks) = self {
      ThreadBlocks(threadCount: threads, capacity: blocks)
    } else {
      ThreadBlocks(threadCount: 0, capacity: 0)
    }
  }

  /// How many threads work.
  var threadCount: Int {
    switch self {
    case .handOff: HandOff.threadCount
    case .shortThreads: ShortThreads.threadCount
    case .smallHeaps(let threads, _): threads
    default: 1
    }
  }

  /// Runs the pattern with `percent` of its full live bytes and rounds.
  func run(percent: Int) -> FootprintFigures {
    var held = HeldBlocks(capacity: capacity)
    let threadBlocks = threadBlocks
    let residentByteCount = Residence.byteCount
    let faultCount = Residence.minorFaultCount
    let start = Elapsed.now
    run(&held, threadBlocks, percent)
    let elapsed = Elapsed.now - start
    return FootprintFigures(
      operationCount: held.operationCount, elapsed: elapsed,
      peakLiveByteCount: held.peakLiveByteCount,
      peakResidentByteCount: max(0, Residence.peakByteCount - residentByteCount),
      endLiveByteCount: held.liveByteCount, endResidentByteCount: max(0, Residence.byteCount - residentByteCount),
      minorFaultCount: Residence.minorFaultCount - faultCount)
  }

  private func run(_ held: inout HeldBlocks, _ threadBlocks: consuming ThreadBlocks, _ percent: Int) {
    switch self {
    case .sawtooth:
      for tooth in 0..<8 {
        held.allocate(SizeRange(32 << tooth, 128 << tooth), upTo: (64 << 20) / 100 * percent)
        held.deallocateRandom(downTo: (6 << 20) / 100 * percent)
      }
    case .oneSizePhases:
      for log2 in stride(from: 6, through: 18, by: 2) {
        held.allocate(SizeRange(1 << log2), upTo: (128 << 20) / 100 * percent)
        held.deallocateInOrder()
      }
    case .mediumChurn:
      let sizes = SizeRange(4 << 10, 256 << 10)
      held.allocate(sizes, upTo: 4_000_000 * percent)
      for _ in 0..<1000 * percent {
        held.deallocate(at: held.random.below(held.count))
        while held.liveByteCount < 4_000_000 * percent { held.allocate(sizes.draw(&held.random)) }
      }
    case .survivors(let sizes, let oneIn):
      for _ in 0..<Self.survivorBlockCount(sizes) / 100 * percent { held.allocate(sizes.draw(&held.random)) }
      held.deallocateInOrder(butOneIn: oneIn)
      held.idle(milliseconds: 20 * percent)
    case .returnAfterIdle:
      for _ in 0..<3 {
        held.allocate(SizeRange(64, 64 << 10), upTo: 3_000_000 * percent)
        held.deallocateRandom(downTo: 100_000 * percent)
        Clock.sleep(milliseconds: 10 * percent)
      }
    case .vectors:
      for _ in 0..<10 * percent { held.allocate(64) }
      for _ in 0..<800 * percent {
        let vector = held.random.below(held.count)
        if held.byteCount(at: vector) < 1 << 20 {
          held.double(at: vector)
        } else {
          held.deallocate(at: vector)
          held.allocate(64)
        }
      }
    case .handOff: HandOff.run(&held, percent)
    case .shortThreads: ShortThreads.run(&held, percent)
    case .smallHeaps: SmallHeaps.run(threadBlocks, &held, percent)
    }
  }

  /// Some 1 GB of blocks.
  private static func survivorBlockCount(_ sizes: SizeRange) -> Int { sizes.most > 1 << 10 ? 200_000 : 3_000_000 }
}

/// The figures of a footprint pattern.
struct FootprintFigures {
  let operationCount: Int
  let elapsed: Elapsed
  let peakLiveByteCount: Int
  let peakResidentByteCount: Int
  let endLiveByteCount: Int
  let endResidentByteCount: Int
  let minorFaultCount: Int
}
