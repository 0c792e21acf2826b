import CLabDriver
import Synchronization

// Replays the recorded calls on as many threads as in the recording. Each thread makes its own calls in their order.
// Between threads, two rules keep the recorded order where it matters. A call waits until the block that it frees has
// been allocated. No thread runs ahead of the slowest one by more than a window, which keeps the live bytes close to
// the recorded ones. There is no deadlock: the slowest thread waits only for calls before its own, and those are done.

/// A replay of a recorded program's calls.
@safe struct TraceReplay: ~Copyable {
  /// How far ahead a thread may be, in calls of all threads.
  private static let windowCallCount = 4096

  private let trace: TraceSteps
  /// The block of each object; null until it is allocated.
  private let blocks: UnsafeMutablePointer<Atomic<UInt>>
  /// The position that each thread has reached, each on a cache line of its own.
  private let reached: UnsafeMutablePointer<Atomic<Int>>
  private static let lineWordCount = 16

  init(_ trace: consuming TraceSteps) {
    let byteCount = (trace.objectCount + 1) * 8
    // SAFETY: zeroed memory is a valid atomic zero; both tables live until the process ends.
    unsafe blocks = mapped(byteCount).bindMemory(to: Atomic<UInt>.self, capacity: trace.objectCount + 1)
    unsafe reached = mapped(trace.threadCount * Self.lineWordCount * 8).bindMemory(
      to: Atomic<Int>.self, capacity: trace.threadCount * Self.lineWordCount)
    self.trace = trace
  }

  /// The number of calls.
  var callCount: Int { trace.steps.count }

  /// The number of threads that make them.
  var threadCount: Int { trace.threadCount }

  /// Makes all calls.
  ///
  /// - Returns: The time from the first to the last.
  mutating func run() -> Elapsed {
    if threadCount == 1 { return Clock.time { makeCalls(of: 0) } }
    // SAFETY: the body binds what it shares to its type, and changes nothing in it but by atomics.
    return unsafe LabThread.run(threadCount, sharing: &self) { shared, thread in
      unsafe shared.assumingMemoryBound(to: TraceReplay.self).pointee.makeCalls(of: thread)
    }
  }

  @inline(never) private borrowing func makeCalls(of thread: Int) {
    let heap = MallocFamily()
    let isAlone = threadCount == 1
    var limit = 0
    for index in trace.starts[thread]..<trace.starts[thread + 1] {
      if !isAlone { keepPace(thread, at: Int(trace.positions[index]), limit: &limit) }
      let step = trace.steps[index]
      let byteCount = Int(step.byteCount)
      switch step.kind {
      case .deallocate:
        heap.deallocate(take(step.object))
        continue
      case .allocate: publish(heap.allocate(byteCount), step.object, byteCount)
      case .allocateZeroed: publish(heap.allocateZeroed(byteCount), step.object, byteCount)
      case .allocateAligned:
        let alignment = max(16, 1 << Int(step.alignmentLog2))
        publish(heap.allocateAny(byteCount, alignment: alignment), step.object, byteCount)
      case .reallocate:
        // Allocators differ on `realloc` to 0 bytes: some free the block. So the replay asks for one byte.
        publish(heap.reallocate(take(step.source), max(1, byteCount)), step.object, byteCount)
      }
    }
    // SAFETY: there is a line for each thread.
    unsafe reached[thread * Self.lineWordCount].store(.max, ordering: .relaxed)
  }

  /// Writes a new block's first and last word and publishes the block to the other threads.
  @inline(__always) private borrowing func publish(_ block: Block, _ object: UInt32, _ byteCount: Int) {
    if byteCount >= 8 { block.touchEnds(Int(object), byteCount: byteCount) }
    // Releasing pairs with the acquiring load in `take`: the block's content is visible there.
    // SAFETY: the table has a place for every object of the trace.
    unsafe blocks[Int(object)].store(UInt(bitPattern: block.start), ordering: .releasing)
  }

  /// The block of an object; waits until it is allocated.
  @inline(__always) private borrowing func take(_ object: UInt32) -> Block {
    var wait = Wait()
    while true {
      // SAFETY: the table has a place for every object; what is not null there is a block that `publish` was given.
      let address = unsafe blocks[Int(object)].load(ordering: .acquiring)
      if let start = unsafe UnsafeMutableRawPointer(bitPattern: address) { return unsafe Block(start) }
      wait.pause()
    }
  }

  /// Publishes a thread's position, and waits while it is too far ahead. Only the number itself is shared, so relaxed
  /// order is enough.
  @inline(__always) private borrowing func keepPace(_ thread: Int, at position: Int, limit: inout Int) {
    // SAFETY: there is a line for each thread.
    unsafe reached[thread * Self.lineWordCount].store(position, ordering: .relaxed)
    if position > limit { waitForSlowest(at: position, limit: &limit) }
  }

  @inline(never) private borrowing func waitForSlowest(at position: Int, limit: inout Int) {
    var wait = Wait()
    while true {
      var slowest = Int.max - Self.windowCallCount
      for thread in 0..<threadCount {
        // SAFETY: there is a line for each thread.
        slowest = min(slowest, unsafe reached[thread * Self.lineWordCount].load(ordering: .relaxed))
      }
      limit = slowest + Self.windowCallCount
      if position <= limit { return }
      wait.pause()
    }
  }
}
