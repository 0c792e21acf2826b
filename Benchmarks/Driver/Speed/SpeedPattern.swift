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
  /// Each thread replaces random blocks of its own.
  case replacements(SizeRange, threads: Int)
  /// A buffer is allocated, a word is written to each of its pages, and it is freed.
  case buffers(Int)
  /// Threads replace blocks in slots, and leave the slots to a successor when they end.
  case servers(SizeRange, slotCount: Int)
  /// The block in a random slot is replaced by one of a size that was just drawn.
  case drawnSlots(DrawnSizes, count: Int)
  /// The same, and nobody else touches a block.
  case coldSlots(DrawnSizes, count: Int)
  /// Blocks of sizes that were just drawn are allocated, then all of them are freed.
  case drawnBatches(DrawnSizes, count: Int)
  /// An operation asks for the usable size of a random block.
  case usableSizes(DrawnSizes, count: Int)
  /// Threads replace blocks in slots, in sizes that were just drawn, and leave the slots to a successor.
  case larson(threads: Int)
  /// The same; a free says the block's size.
  case sizedLarson(threads: Int)
  /// Half of the threads allocate batches, the other half frees them.
  case pipeline(DrawnSizes, threads: Int)
  /// Each thread replaces blocks in its slots; its neighbour frees a quarter of them.
  case exchange(DrawnSizes, threads: Int)
  /// An operation is a thread that allocates `blockCount` blocks, frees them and ends.
  case threadChurn(SizeRange, blockCount: Int)

  /// The number of threads where no option sets it.
  var threadCount: Int {
    switch self {
    case .producerConsumers, .ownBatches, .remoteFrees, .servers: 2
    case .replacements(_, let threads), .larson(let threads), .sizedLarson(let threads), .pipeline(_, let threads),
      .exchange(_, let threads):
      threads
    default: 1
    }
  }

  /// Whether an option may set the number of threads.
  var scales: Bool {
    switch self {
    case .producerConsumers, .ownBatches, .remoteFrees, .servers: true
    default: false
    }
  }

  /// Whether the frees of the pattern say the block's size.
  var freesBySize: Bool { if case .sizedLarson = self { true } else { false } }

  /// The operations of the first trial run on that many threads, which must work for longer than it takes them to start
  /// together, or to fill many slots.
  func trialOperationCount(threads: Int) -> Int {
    switch self {
    case .replacements: 1_000 * threads
    case .larson, .sizedLarson, .exchange: 10_000 * threads
    case .coldSlots, .usableSizes, .pipeline: 100_000
    case _ where scales: 10_000 * threads
    default: 1
    }
  }

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
    case .replacements(let sizes, _): Slots.runThreads(operationCount, sizes, threads: threads)
    case .buffers(let byteCount): Buffers.run(operationCount, byteCount)
    case .servers(let sizes, let slotCount): Servers.run(operationCount, sizes, slotCount: slotCount, threads: threads)
    case .drawnSlots(let sizes, let count): DrawnSlots.run(operationCount, sizes, count: count, .touched)
    case .coldSlots(let sizes, let count): DrawnSlots.run(operationCount, sizes, count: count, .untouched)
    case .drawnBatches(let sizes, let count): DrawnBatches(sizes, count: count).run(operationCount)
    case .usableSizes(let sizes, let count): UsableSizes.run(operationCount, sizes, count: count)
    case .larson: Servers.runLarson(operationCount, .touched, threads: threads)
    case .sizedLarson: Servers.runLarson(operationCount, .sized, threads: threads)
    case .pipeline(let sizes, _): Pipeline.run(operationCount, sizes, threads: threads)
    case .exchange(let sizes, _): ExchangedSlots.run(operationCount, sizes, threads: threads)
    case .threadChurn(let sizes, let blockCount): ThreadChurn.run(operationCount, sizes, blockCount: blockCount)
    }
  }
}
