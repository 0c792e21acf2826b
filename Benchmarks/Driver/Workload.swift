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
  }

  /// The kind that the list shows beside the name.
  var kind: StaticString {
    switch pattern {
    case .speed: "speed"
    case .footprint: "footprint"
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
    case 27: Workload("sawtooth", .footprint(.sawtooth))
    case 28: Workload("one-size-phases", .footprint(.oneSizePhases))
    case 29: Workload("medium-churn", .footprint(.mediumChurn))
    case 30: Workload("survivors-1-in-1000", .footprint(.survivors(SizeRange(512, 20 << 10), oneIn: 1000)))
    case 31: Workload("survivors-1-in-100", .footprint(.survivors(SizeRange(16, 256), oneIn: 100)))
    case 32: Workload("return-after-idle", .footprint(.returnAfterIdle))
    case 33: Workload("vectors", .footprint(.vectors))
    case 34: Workload("hand-off", .footprint(.handOff))
    case 35: Workload("short-threads", .footprint(.shortThreads))
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

/// Calls whose time is measured. An operation is a block's allocation and deallocation, unless a case says otherwise.
enum SpeedPattern {
  /// A block is freed as soon as its first word is written.
  case pairs(Int)
  case mixedPairs(SizeRange)
  case zeroedPairs(Int)
  case alignedPairs(Int, alignment: Int)
  /// A thousand blocks are allocated, then all of them are freed.
  case batches(SizeRange, BatchOrder)
  /// The block in a random slot is replaced.
  case slots(SizeRange, count: Int)
  /// Vectors take turns to double from 16 bytes; an operation is a reallocation.
  case vectors(count: Int, byteCount: Int)
  /// One vector grows step by step; an operation is a reallocation.
  case steps(of: Int, to: Int)
  /// One thread allocates and the others free.
  case producerConsumers(SizeRange)
  /// Each thread allocates and frees batches of its own.
  case ownBatches(SizeRange)
  /// Each thread frees only what another thread allocated.
  case remoteFrees(SizeRange)
  /// Threads replace blocks in slots, and leave the slots to a successor when they end.
  case servers(SizeRange, slotCount: Int)
  /// An operation is a thread that allocates `blockCount` blocks, frees them and ends.
  case threadChurn(SizeRange, blockCount: Int)

  /// The number of threads where no option sets it.
  var threadCount: Int {
    switch self {
    case .producerConsumers, .ownBatches, .remoteFrees, .servers: 2
    default: 1
    }
  }

  /// Whether an option may set the number of threads.
  var scales: Bool { threadCount > 1 }

  /// The most operations where no option sets their number; nil for no limit. A vector grows to its full size only
  /// once: when glibc frees the first one, it raises its mmap threshold and keeps later ones in its heap. Programs
  /// rarely get to that point.
  var operationCountMost: Int? {
    if case .steps(let step, let byteCount) = self { byteCount / step - 1 } else { nil }
  }

  /// Runs `operationCount` operations.
  ///
  /// - Returns: The time from the first to the last, without the time to set up and tear down what they work on.
  func run(_ operationCount: Int, threads: Int) -> Elapsed {
    switch self {
    case .pairs(let byteCount): Pairs.run(operationCount, byteCount)
    case .mixedPairs(let sizes): Pairs.run(operationCount, sizes)
    case .zeroedPairs(let byteCount): Pairs.runZeroed(operationCount, byteCount)
    case .alignedPairs(let byteCount, let alignment): Pairs.run(operationCount, byteCount, alignment: alignment)
    case .batches(let sizes, let order): Batches(sizes).run(operationCount, order)
    case .slots(let sizes, let count): Slots.run(operationCount, sizes, count: count)
    case .vectors(let count, let byteCount): Growth.runVectors(operationCount, count: count, to: byteCount)
    case .steps(let step, let byteCount): Growth.runSteps(operationCount, of: step, to: byteCount)
    case .producerConsumers(let sizes): HandedBlocks.runProducer(operationCount, sizes, threads: threads)
    case .ownBatches(let sizes): Batches.runThreads(operationCount, sizes, threads: threads)
    case .remoteFrees(let sizes): HandedBlocks.runRing(operationCount, sizes, threads: threads)
    case .servers(let sizes, let slotCount): Servers.run(operationCount, sizes, slotCount: slotCount, threads: threads)
    case .threadChurn(let sizes, let blockCount): ThreadChurn.run(operationCount, sizes, blockCount: blockCount)
    }
  }
}
