import CLabDriver

/// A thread of a ``TailPattern``.
struct TailThread: ~Copyable {
  /// One block in so many is handed on.
  private static let handedOneIn = 8

  private let pattern: TailPattern
  private let number: Int
  private let heap = MallocFamily()
  private let slots: MappedTable<Block>
  /// The blocks that the thread before this one hands on.
  private let incoming = BlockRing()

  private let mallocs = LatencyHistogram()
  private let frees = LatencyHistogram()
  /// The timed part.
  var span = TailSpan()

  init(_ pattern: TailPattern, _ number: Int) {
    self.pattern = pattern
    self.number = number
    slots = MappedTable(count: pattern.slotCount)
  }

  private var operationCount: Int {
    ThreadShares(operationCount: pattern.operationCount, threadCount: pattern.threadCount).operationCount(of: number)
  }

  /// Fills the slots, and replaces a quarter as many blocks as will be timed.
  func warmUp() {
    var random = Random(seed: 2 * number + 1)
    for slot in 0..<slots.count { slots[slot] = allocate(slot, &random) }
    for _ in 0..<operationCount / 4 {
      let slot = random.below(slots.count)
      heap.deallocate(slots[slot])
      slots[slot] = allocate(slot, &random)
    }
  }

  /// Replaces blocks, and times each call.
  func work(handingTo next: UnsafeMutablePointer<TailThread>) -> TailSpan {
    var random = Random(seed: 2 * number + 2)
    let usage = ThreadUsage.now
    let start = Clock.nanoseconds
    let startTicks = lab_ordered_ticks()
    var left = operationCount
    while left > 0 {
      for _ in 0..<min(left, (Self.handedOneIn - 1) * BlockRing.batchCount) {
        let slot = random.below(slots.count)
        free(slots[slot])
        slots[slot] = allocateTimed(slot, &random)
        left -= 1
      }
      // SAFETY: the next thread's part outlives this one; only this thread puts into its ring.
      left -= unsafe next.pointee.incoming.put(upTo: left) {
        let slot = random.below(slots.count)
        let old = slots[slot]
        slots[slot] = allocateTimed(slot, &random)
        return old
      }
      _ = incoming.take { free($0) }
    }
    let ticks = lab_ordered_ticks() &- startTicks
    return TailSpan(usage: .now - usage, nanoseconds: Clock.nanoseconds - start, ticks: ticks)
  }

  /// Frees everything, also what the thread before still hands on.
  func finish(handingTo next: UnsafeMutablePointer<TailThread>) {
    // SAFETY: as in `work`.
    unsafe next.pointee.incoming.close()
    var wait = Wait()
    while true {
      let isClosed = incoming.isClosed
      let count = incoming.take { heap.deallocate($0) }
      if count > 0 { wait = Wait() } else if isClosed { break } else { wait.pause() }
    }
    for slot in 0..<slots.count { heap.deallocate(slots[slot]) }
  }

  /// Adds what this thread measured.
  func addTo(_ figures: inout TailFigures) {
    figures.mallocs.add(mallocs)
    figures.frees.add(frees)
    figures.span.add(span)
  }

  @inline(__always) private func free(_ block: Block) {
    let start = lab_ordered_ticks()
    heap.deallocate(block)
    frees.add(lab_ordered_ticks() &- start)
  }

  @inline(__always) private func allocateTimed(_ slot: Int, _ random: inout Random) -> Block {
    let byteCount = pattern.sizes.draw(&random)
    let start = lab_ordered_ticks()
    let block = heap.allocate(byteCount)
    let end = lab_ordered_ticks()
    block.touchEnds(slot, byteCount: byteCount)
    mallocs.add(end &- start)
    return block
  }

  private func allocate(_ slot: Int, _ random: inout Random) -> Block {
    let byteCount = pattern.sizes.draw(&random)
    let block = heap.allocate(byteCount)
    block.touchEnds(slot, byteCount: byteCount)
    return block
  }
}

/// The timed part of a thread's work.
struct TailSpan {
  var usage = ThreadUsage()
  /// Its time on both clocks.
  var nanoseconds = 0
  var ticks: UInt64 = 0

  /// Adds another thread's counts, and takes over its time if it took longer.
  mutating func add(_ other: TailSpan) {
    usage = usage + other.usage
    guard other.nanoseconds > nanoseconds else { return }
    nanoseconds = other.nanoseconds
    ticks = other.ticks
  }
}
