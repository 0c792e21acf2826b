import CLabDriver
import Synchronization

/// Threads replace random blocks of their own, and every free and every malloc is timed, as in ``CallLatencies``. The
/// next thread frees one block in eight. Every octave of the sizes is equally likely.
struct TailPattern {
  let sizes: SizeRange
  let threadCount: Int
  /// The replacements that are timed, of all threads together.
  let operationCount: Int

  /// A thread has about that much in use.
  private static let liveByteCount = 16 << 20

  /// The blocks of a thread.
  var slotCount: Int { max(64, min(10_000, Self.liveByteCount / max(1, (sizes.least + sizes.most) / 4))) }

  /// Runs all threads to their ends and adds up what they measured.
  func run() -> TailFigures {
    let byteCount = threadCount * MemoryLayout<TailThread>.stride
    // SAFETY: a new mapping with room for the threads' parts, which stay until the threads have ended. Each thread
    // changes its own part, and of the next one's what is atomic.
    let parts = unsafe mapped(byteCount).bindMemory(to: TailThread.self, capacity: threadCount)
    for thread in 0..<threadCount { unsafe (parts + thread).initialize(to: TailThread(self, thread)) }
    var threads = unsafe TailThreads(parts: parts, count: threadCount)
    // SAFETY: as above; the body binds what it shares to its type.
    unsafe LabThread.run(threadCount, sharing: &threads) { shared, thread in
      unsafe shared.assumingMemoryBound(to: TailThreads.self).pointee.run(thread)
    }
    var figures = TailFigures(overheadTicks: CallLatencies.readingTicks())
    for thread in 0..<threadCount { unsafe parts[thread].addTo(&figures) }
    unsafe parts.deinitialize(count: threadCount)
    unsafe munmap(parts, byteCount)
    return figures
  }
}

/// What the threads share.
@safe private struct TailThreads: ~Copyable {
  // SAFETY: `TailPattern.run` keeps the parts until the threads have ended.
  let parts: UnsafeMutablePointer<TailThread>
  let count: Int
  let readyCount = Atomic<Int>(0)

  init(parts: UnsafeMutablePointer<TailThread>, count: Int) {
    // SAFETY: keeping an address touches nothing.
    unsafe self.parts = parts
    self.count = count
  }

  borrowing func run(_ thread: Int) {
    // SAFETY: the parts outlive the thread; this one changes no other part but by its ring.
    let (own, next) = unsafe (parts + thread, parts + (thread + 1) % count)
    unsafe own.pointee.warmUp()
    readyCount.add(1, ordering: .relaxed)
    var wait = Wait()
    while readyCount.load(ordering: .relaxed) < count { wait.pause() }
    // SAFETY: as above.
    unsafe own.pointee.span = own.pointee.work(handingTo: next)
    unsafe own.pointee.finish(handingTo: next)
  }
}

/// The figures of all threads together.
struct TailFigures: ~Copyable {
  /// What two readings of the clock take with nothing between them.
  let overheadTicks: UInt64
  let mallocs = LatencyHistogram()
  let frees = LatencyHistogram()
  /// The sum of what the kernel counted, and the time of the thread that took longest.
  var span = TailSpan()

  init(overheadTicks: UInt64) { self.overheadTicks = overheadTicks }
}
