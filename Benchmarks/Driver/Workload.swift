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
  }

  /// The kind that the list shows beside the name.
  var kind: StaticString {
    switch pattern {
    case .speed: "speed"
    case .footprint: "footprint"
    case .idle: "idle"
    case .stall: "stall"
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
    case 33: Workload("sawtooth", .footprint(.sawtooth))
    case 34: Workload("one-size-phases", .footprint(.oneSizePhases))
    case 35: Workload("medium-churn", .footprint(.mediumChurn))
    case 36: Workload("survivors-1-in-1000", .footprint(.survivors(SizeRange(512, 20 << 10), oneIn: 1000)))
    case 37: Workload("survivors-1-in-100", .footprint(.survivors(SizeRange(16, 256), oneIn: 100)))
    case 38: Workload("return-after-idle", .footprint(.returnAfterIdle))
    case 39: Workload("vectors", .footprint(.vectors))
    case 40: Workload("hand-off", .footprint(.handOff))
    case 41: Workload("short-threads", .footprint(.shortThreads))
    case 42: Workload("small-heaps-1x256", .footprint(.smallHeaps(threads: 1, blocks: 256)))
    case 43: Workload("small-heaps-8x256", .footprint(.smallHeaps(threads: 8, blocks: 256)))
    case 44: Workload("small-heaps-64x256", .footprint(.smallHeaps(threads: 64, blocks: 256)))
    case 45: Workload("small-heaps-64x2048", .footprint(.smallHeaps(threads: 64, blocks: 2048)))
    case 46: Workload("idle-threads", .idle(IdleThreads(count: 500)))
    case 47: Workload("frees-64MiB", .stall(.frees(byteCount: 64 << 20, .random)))
    case 48: Workload("frees-512MiB", .stall(.frees(byteCount: 512 << 20, .random)))
    case 49: Workload("frees-1.5GiB", .stall(.frees(byteCount: 1536 << 20, .random)))
    case 50: Workload("frees-in-order-64MiB", .stall(.frees(byteCount: 64 << 20, .firstFirst)))
    case 51: Workload("frees-in-order-512MiB", .stall(.frees(byteCount: 512 << 20, .firstFirst)))
    case 52: Workload("frees-in-order-1.5GiB", .stall(.frees(byteCount: 1536 << 20, .firstFirst)))
    case 53: Workload("beside-small-frees", .stall(.besideFrees(.small, byteCount: 512 << 20)))
    case 54: Workload("beside-large-frees-512MiB", .stall(.besideFrees(.large, byteCount: 512 << 20)))
    case 55: Workload("beside-large-frees-1.5GiB", .stall(.besideFrees(.large, byteCount: 1536 << 20)))
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
