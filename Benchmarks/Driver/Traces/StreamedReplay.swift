import CLabDriver
import Synchronization

// heapbench decodes a trace, however long it is, and writes its steps to the driver's standard input, batch by batch:
//
//   threads, slots, touch, steps of a batch at most            four numbers of 32 bits
//   batch: runs, steps, the runs, the steps run after run      until a batch of 0 runs
//
// A run has the steps that one thread takes of the batch. Each thread takes its runs in order, and no thread is more
// than `batchCount` batches ahead of another. A slot has a turn: the number of steps taken with it. A step waits for its
// turn, so the steps with a slot happen in the recorded order, also on different threads. There is no deadlock: the
// step that is first in the recorded order waits for nobody.

/// A replay of a trace that is streamed to this process.
@safe struct StreamedReplay: ~Copyable {
  /// The batches that are held at once.
  private static var batchCount: Int { 3 }
  private static var runCountMax: Int { 1 << 16 }

  private enum Touch {
    static var none: UInt32 { 0 }
    static var whole: UInt32 { 2 }
  }

  let threadCount: Int
  private let touch: UInt32
  private let stepCountMax: Int
  private let blocks: MappedTable<UInt>
  private let turns: UnsafeMutablePointer<Atomic<UInt16>>
  private let runs: MappedTable<StreamedRun>
  private let steps: MappedTable<StreamedStep>
  private let runCounts: MappedTable<Int>
  /// The batches that were read, and for each place how many threads are done with it.
  private let readCount = Atomic<Int>(0)
  private let doneCounts: UnsafeMutablePointer<Atomic<Int>>
  private let nanoseconds = Atomic<Int>(0)
  private let processorNanoseconds = Atomic<Int>(0)

  /// The calls that were made.
  private(set) var callCount = 0

  /// Reads what the stream starts with.
  init() {
    var header = InlineArray<4, UInt32>(repeating: 0)
    var bytes = header.mutableSpan
    // SAFETY: the array has 16 bytes.
    let isThere = unsafe bytes.withUnsafeMutableBytes { unsafe StreamedReplay.fill($0.baseAddress, 16) }
    guard isThere else { stop("reads a trace from heapbench, and its standard input has none") }
    threadCount = Int(header[0])
    touch = header[2]
    stepCountMax = Int(header[3])
    let slotCount = Int(header[1]) + 1
    blocks = MappedTable(count: slotCount)
    runs = MappedTable(count: Self.batchCount * Self.runCountMax)
    steps = MappedTable(count: Self.batchCount * stepCountMax)
    runCounts = MappedTable(count: Self.batchCount)
    // SAFETY: zeroed memory is a valid atomic zero; both tables live until the process ends.
    unsafe turns = mapped(slotCount * 2).bindMemory(to: Atomic<UInt16>.self, capacity: slotCount)
    unsafe doneCounts = mapped(Self.batchCount * 8).bindMemory(to: Atomic<Int>.self, capacity: Self.batchCount)
  }

  /// Takes all steps.
  ///
  /// - Returns: The time that the threads spent with their steps, all together.
  mutating func run() -> Elapsed {
    if threadCount == 1 {
      while readBatch(0) { takeRuns(of: 0, in: 0) }
    } else {
      // SAFETY: the body binds what it shares to its type; the reader alone changes what is not atomic.
      _ = unsafe LabThread.run(threadCount + 1, sharing: &self) { shared, thread in
        let replay = unsafe shared.assumingMemoryBound(to: StreamedReplay.self)
        if thread == 0 { unsafe replay.pointee.readAll() } else { unsafe replay.pointee.takeAll(of: thread - 1) }
      }
    }
    return Elapsed(
      nanoseconds: nanoseconds.load(ordering: .relaxed),
      processorNanoseconds: processorNanoseconds.load(ordering: .relaxed))
  }

  /// Reads batch after batch, each once its place is free.
  private mutating func readAll() {
    var batch = 0
    while true {
      let place = batch % Self.batchCount
      var wait = Wait()
      // SAFETY: there is a counter for each place. Acquiring pairs with the release in `takeAll`: the steps were taken.
      while batch >= Self.batchCount, unsafe doneCounts[place].load(ordering: .acquiring) < threadCount { wait.pause() }
      unsafe doneCounts[place].store(0, ordering: .relaxed)
      let isThere = readBatch(place)
      batch += 1
      // Releasing pairs with the acquiring load in `takeAll`: the batch's steps are visible there.
      readCount.store(batch, ordering: .releasing)
      if !isThere { return }
    }
  }

  private borrowing func takeAll(of thread: Int) {
    var batch = 0
    while true {
      var wait = Wait()
      while readCount.load(ordering: .acquiring) <= batch { wait.pause() }
      let place = batch % Self.batchCount
      guard runCounts[place] > 0 else { return }
      takeRuns(of: thread, in: place)
      // SAFETY: there is a counter for each place.
      unsafe doneCounts[place].add(1, ordering: .releasing)
      batch += 1
    }
  }

  /// Reads a batch into a place; false at the end.
  private mutating func readBatch(_ place: Int) -> Bool {
    var counts = InlineArray<2, UInt32>(repeating: 0)
    var bytes = counts.mutableSpan
    // SAFETY: the array has 8 bytes, and the tables have room for the most runs and steps of a batch.
    let isThere = unsafe bytes.withUnsafeMutableBytes { unsafe StreamedReplay.fill($0.baseAddress, 8) }
    let (runCount, stepCount) = (Int(counts[0]), Int(counts[1]))
    runCounts[place] = 0
    guard isThere, runCount > 0 else { return false }
    // SAFETY: as above; both counts are checked first.
    guard runCount <= Self.runCountMax, stepCount <= stepCountMax,
      unsafe Self.fill(runs.address(of: place * Self.runCountMax), runCount * 8),
      unsafe Self.fill(steps.address(of: place * stepCountMax), stepCount * 16)
    else { stop("the trace that heapbench streams ends early") }
    runCounts[place] = runCount
    callCount += stepCount
    return true
  }

  private borrowing func takeRuns(of thread: Int, in place: Int) {
    var first = place * stepCountMax
    for index in place * Self.runCountMax..<place * Self.runCountMax + runCounts[place] {
      let run = runs[index]
      if Int(run.thread) == thread {
        let start = (Clock.nanoseconds, Clock.threadNanoseconds)
        threadCount == 1 ? take(first..<first + Int(run.count)) : takeTurns(first..<first + Int(run.count))
        processorNanoseconds.add(Clock.threadNanoseconds - start.1, ordering: .relaxed)
        nanoseconds.add(Clock.nanoseconds - start.0, ordering: .relaxed)
      }
      first += Int(run.count)
    }
  }

  /// Takes steps while no other thread does.
  @inline(never) private borrowing func take(_ range: Range<Int>) {
    let heap = MallocFamily()
    for index in range { perform(steps[index], heap) }
  }

  /// Takes steps, each when it is its slot's turn.
  @inline(never) private borrowing func takeTurns(_ range: Range<Int>) {
    let heap = MallocFamily()
    for index in range {
      let step = steps[index]
      var wait = Wait()
      // SAFETY: there is a turn for every slot. Acquiring pairs with the release below: the block is visible here.
      while unsafe turns[step.slot].load(ordering: .acquiring) != step.turn { wait.pause() }
      perform(step, heap)
      unsafe turns[step.slot].store(step.turn &+ 1, ordering: .releasing)
    }
  }

  @inline(__always) private borrowing func perform(_ step: StreamedStep, _ heap: MallocFamily) {
    let byteCount = Int(truncatingIfNeeded: step.byteCount)
    let block: Block
    switch step.kind {
    case StreamedStep.Kind.deallocate:
      heap.deallocate(held(step.slot))
      return
    case StreamedStep.Kind.allocate where step.alignmentLog2 <= 4: block = heap.allocate(byteCount)
    case StreamedStep.Kind.allocate: block = heap.allocateAny(byteCount, alignment: 1 << step.alignmentLog2)
    case StreamedStep.Kind.allocateZeroed: block = heap.allocateZeroed(byteCount)
    default: block = heap.reallocate(held(step.slot), max(1, byteCount))
    }
    if touch != Touch.none { write(block, byteCount) }
    // SAFETY: forming the number touches nothing.
    blocks[step.slot] = unsafe UInt(bitPattern: block.start)
  }

  @inline(__always) private borrowing func held(_ slot: Int) -> Block {
    // SAFETY: the steps free only what they allocated.
    guard let start = unsafe UnsafeMutableRawPointer(bitPattern: blocks[slot]) else { stop("an allocation failed") }
    return unsafe Block(start)
  }

  @inline(__always) private borrowing func write(_ block: Block, _ byteCount: Int) {
    if byteCount < 8 { return }
    if touch == Touch.whole { return block.fill(to: byteCount) }
    block.touchEnds(1, byteCount: byteCount)
    if byteCount > 4096 { block.touchEach(4096, 1, byteCount: byteCount - 8) }
  }

  /// Reads exactly `byteCount` bytes of standard input; false at its end.
  @unsafe private static func fill(_ target: UnsafeMutableRawPointer?, _ byteCount: Int) -> Bool {
    var done = 0
    while done < byteCount {
      // SAFETY: the caller's memory has `byteCount` bytes.
      let count = unsafe read(0, target.map { unsafe $0 + done }, byteCount - done)
      guard count > 0 else { return false }
      done += max(0, count)
    }
    return true
  }
}
