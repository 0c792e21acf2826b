/// A named pattern of calls of the malloc family.
struct Workload {
  let name: StaticString
  let pattern: Pattern

  private init(_ name: StaticString, _ pattern: Pattern) {
    self.name = name
    self.pattern = pattern
  }

  /// The calls, by what is measured of them.
  enum Pattern {
    case speed(SpeedPattern)
    case footprint(FootprintPattern)
    case idle(IdleThreads)
    case stall(StallPattern)
    case latency(DrawnSizes)
    case trivialProcess
  }

  /// The kind that the list shows beside the name.
  var kind: StaticString {
    switch pattern {
    case .speed: "speed"
    case .footprint: "footprint"
    case .idle: "idle"
    case .stall: "stall"
    case .latency: "latency"
    case .trivialProcess: "process"
    }
  }

  /// The workload at `index` of the list; nil past its end. Traces are not in the list, since they are files.
  static func at(_ index: Int) -> Workload? {
    switch index {
    case 0: Workload("pairs-16", .speed(.pairs(16)))
    case 1: Workload("pairs-64", .speed(.pairs(64)))
    case 2: Workload("pairs-256", .speed(.pairs(256)))
    case 3: Workload("pairs-512", .speed(.pairs(512)))
    case 4: Workload("pairs-16-512", .speed(.mixedPairs(SizeRange(16, 512))))
    case 5: Workload("pairs-1KiB", .speed(.pairs(1 << 10)))
    case 6: Workload("pairs-4KiB", .speed(.pairs(4 << 10)))
    case 7: Workload("pairs-32KiB", .speed(.pairs(32 << 10)))
    case 8: Workload("pairs-64KiB", .speed(.pairs(64 << 10)))
    case 9: Workload("pairs-256KiB", .speed(.pairs(256 << 10)))
    case 10: Workload("pairs-2MiB", .speed(.pairs(2 << 20)))
    case 11: Workload("calloc-256", .speed(.zeroedPairs(256)))
    case 12: Workload("aligned-64", .speed(.alignedPairs(64, alignment: 64)))
    case 13: Workload("lifo-16-512", .speed(.batches(SizeRange(16, 512), .lastFirst)))
    case 14: Workload("fifo-16-512", .speed(.batches(SizeRange(16, 512), .firstFirst)))
    case 15: Workload("slots-8-512", .speed(.slots(SizeRange(8, 512), count: 10_000)))
    case 16: Workload("slots-8-32KiB", .speed(.slots(SizeRange(8, 32 << 10), count: 1_000)))
    case 17: Workload("slots-8-1MiB", .speed(.slots(SizeRange(8, 1 << 20), count: 100)))
    case 18: Workload("slots-16-512", .speed(.slots(SizeRange(16, 512), count: 10_000)))
    case 19: Workload("vectors-1MiB", .speed(.vectors(count: 8, byteCount: 1 << 20)))
    case 20: Workload("vector-16MiB", .speed(.steps(of: 64 << 10, to: 16 << 20)))
    case 21: Workload("producer-consumer-64", .speed(.producerConsumers(SizeRange(64))))
    case 22: Workload("producer-consumer-16-512", .speed(.producerConsumers(SizeRange(16, 512))))
    case 23: Workload("own-batches", .speed(.ownBatches(SizeRange(16, 512))))
    case 24: Workload("remote-frees", .speed(.remoteFrees(SizeRange(16, 512))))
    case 25: Workload("larson-servers", .speed(.servers(SizeRange(16, 512), slotCount: 1_000)))
    case 26: Workload("thread-churn", .speed(.threadChurn(SizeRange(16, 512), blockCount: 100)))
    case 27: Workload("replace-40-400KB-1", .speed(.replacements(SizeRange(40_000, 400_000), threads: 1)))
    case 28: Workload("replace-40-400KB-8", .speed(.replacements(SizeRange(40_000, 400_000), threads: 8)))
    case 29: Workload("replace-40-400KB-64", .speed(.replacements(SizeRange(40_000, 400_000), threads: 64)))
    case 30: Workload("buffer-40MiB", .speed(.buffers(40 << 20)))
    case 31: Workload("buffer-64MiB", .speed(.buffers(64 << 20)))
    case 32: Workload("buffer-256MiB", .speed(.buffers(256 << 20)))
    case 33: Workload("random-slots-16-256", .speed(.drawnSlots(DrawnSizes(16, 256), count: 500)))
    case 34: Workload("random-slots-257-512", .speed(.drawnSlots(DrawnSizes(257, 512), count: 500)))
    case 35: Workload("random-slots-16-512", .speed(.drawnSlots(DrawnSizes(16, 512), count: 500)))
    case 36: Workload("random-slots-8KiB-32KiB", .speed(.drawnSlots(DrawnSizes(8 << 10, 32 << 10), count: 500)))
    case 37: Workload("random-slots-40KB-200KB", .speed(.drawnSlots(DrawnSizes(40_000, 200_000), count: 100)))
    case 38: Workload("random-batches-16-256", .speed(.drawnBatches(DrawnSizes(16, 256), count: 1_000)))
    case 39: Workload("random-batches-257-512", .speed(.drawnBatches(DrawnSizes(257, 512), count: 1_000)))
    case 40: Workload("random-batches-16-512", .speed(.drawnBatches(DrawnSizes(16, 512), count: 1_000)))
    case 41: Workload("random-batches-8KiB-32KiB", .speed(.drawnBatches(DrawnSizes(8 << 10, 32 << 10), count: 500)))
    case 42: Workload("random-batches-40KB-200KB", .speed(.drawnBatches(DrawnSizes(40_000, 200_000), count: 100)))
    case 43: Workload("cold-frees-16-512", .speed(.coldSlots(DrawnSizes(16, 512), count: 200_000)))
    case 44: Workload("usable-size-hot", .speed(.usableSizes(DrawnSizes(16, 512), count: 100)))
    case 45: Workload("usable-size-cold", .speed(.usableSizes(DrawnSizes(16, 512), count: 200_000)))
    case 46: Workload("larson-1", .speed(.larson(threads: 1)))
    case 47: Workload("larson-2", .speed(.larson(threads: 2)))
    case 48: Workload("larson-8", .speed(.larson(threads: 8)))
    case 49: Workload("larson-sized-1", .speed(.sizedLarson(threads: 1)))
    case 50: Workload("larson-sized-2", .speed(.sizedLarson(threads: 2)))
    case 51: Workload("larson-sized-8", .speed(.sizedLarson(threads: 8)))
    case 52: Workload("pipeline-64-2", .speed(.pipeline(DrawnSizes(64, 64), threads: 2)))
    case 53: Workload("pipeline-64-8", .speed(.pipeline(DrawnSizes(64, 64), threads: 8)))
    case 54: Workload("pipeline-16-512-2", .speed(.pipeline(DrawnSizes(16, 512), threads: 2)))
    case 55: Workload("pipeline-16-512-8", .speed(.pipeline(DrawnSizes(16, 512), threads: 8)))
    case 56: Workload("exchange-16-10000-8", .speed(.exchange(DrawnSizes(16, 10_000), threads: 8)))
    case 57: Workload("sawtooth", .footprint(.sawtooth))
    case 58: Workload("one-size-phases", .footprint(.oneSizePhases))
    case 59: Workload("medium-churn", .footprint(.mediumChurn))
    case 60: Workload("survivors-1-in-1000", .footprint(.survivors(SizeRange(512, 20 << 10), oneIn: 1000)))
    case 61: Workload("survivors-1-in-100", .footprint(.survivors(SizeRange(16, 256), oneIn: 100)))
    case 62: Workload("return-after-idle", .footprint(.returnAfterIdle))
    case 63: Workload("vectors", .footprint(.vectors))
    case 64: Workload("hand-off", .footprint(.handOff))
    case 65: Workload("short-threads", .footprint(.shortThreads))
    case 66: Workload("small-heaps-1x256", .footprint(.smallHeaps(threads: 1, blocks: 256)))
    case 67: Workload("small-heaps-8x256", .footprint(.smallHeaps(threads: 8, blocks: 256)))
    case 68: Workload("small-heaps-64x256", .footprint(.smallHeaps(threads: 64, blocks: 256)))
    case 69: Workload("small-heaps-64x2048", .footprint(.smallHeaps(threads: 64, blocks: 2048)))
    case 70: Workload("idle-threads", .idle(IdleThreads(count: 500)))
    case 71: Workload("frees-64MiB", .stall(.frees(byteCount: 64 << 20, .random)))
    case 72: Workload("frees-512MiB", .stall(.frees(byteCount: 512 << 20, .random)))
    case 73: Workload("frees-1.5GiB", .stall(.frees(byteCount: 1536 << 20, .random)))
    case 74: Workload("frees-in-order-64MiB", .stall(.frees(byteCount: 64 << 20, .firstFirst)))
    case 75: Workload("frees-in-order-512MiB", .stall(.frees(byteCount: 512 << 20, .firstFirst)))
    case 76: Workload("frees-in-order-1.5GiB", .stall(.frees(byteCount: 1536 << 20, .firstFirst)))
    case 77: Workload("beside-small-frees", .stall(.besideFrees(.small, byteCount: 512 << 20)))
    case 78: Workload("beside-large-frees-512MiB", .stall(.besideFrees(.large, byteCount: 512 << 20)))
    case 79: Workload("beside-large-frees-1.5GiB", .stall(.besideFrees(.large, byteCount: 1536 << 20)))
    case 80: Workload("latency-16-512", .latency(DrawnSizes(16, 512)))
    case 81: Workload("trivial-process", .trivialProcess)
    default: nil
    }
  }

  /// The workload of this name.
  init?(named name: Text) {
    var index = 0
    while let workload = Self.at(index) {
      if name == workload.name {
        self = workload
        return
      }
      index += 1
    }
    return nil
  }
}
