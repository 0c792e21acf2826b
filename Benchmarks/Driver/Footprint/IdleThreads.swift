import CLabDriver
import Synchronization

/// Threads that served short requests and sleep, as a server's pool does after a busy minute. Each served a hundred
/// requests of forty blocks and freed them all. What they keep is of use to nobody.
struct IdleThreads {
  private static let requestCount = 100
  private static let blockCount = 40
  /// Small stacks: where the kernel uses huge pages always, it would use them for large ones.
  private static let stackByteCount = 128 << 10

  /// How many threads there are at full size.
  let count: Int

  /// Runs `percent` of the threads.
  func run(percent: Int) -> IdleFigures {
    let count = max(1, count * percent / 100)
    let threads = MappedTable<LabThread>(count: count)
    var pool = Pool()
    let residentByteCount = Residence.byteCount
    let faultCount = Residence.minorFaultCount
    let start = Elapsed.now
    // SAFETY: the threads end before the pointer becomes invalid.
    return unsafe withUnsafeMutablePointer(to: &pool) { pool in
      for number in 0..<count {
        // SAFETY: the body binds what it shares to its type, and changes nothing in it but by atomics.
        unsafe threads[number] = LabThread(number, pool, stackByteCount: Self.stackByteCount) { shared, thread in
          IdleThreads.serve(seed: thread)
          unsafe shared.assumingMemoryBound(to: Pool.self).pointee.idle()
        }
        // SAFETY: the thread's place stays until the thread has ended.
        unsafe LabThread.start(threads.address(of: number))
      }
      // SAFETY: the pool is this function's own.
      unsafe pool.pointee.wait(for: count)
      let elapsed = Elapsed.now - start
      let idleByteCount = max(0, Residence.byteCount - residentByteCount)
      lab_malloc_trim()
      let trimmedByteCount = max(0, Residence.byteCount - residentByteCount)
      // SAFETY: as above.
      unsafe pool.pointee.close()
      for number in 0..<count { threads[number].join() }
      return IdleFigures(
        operationCount: count * Self.requestCount * Self.blockCount, elapsed: elapsed, threadCount: count,
        idleResidentByteCount: idleByteCount, trimmedResidentByteCount: trimmedByteCount,
        minorFaultCount: Residence.minorFaultCount - faultCount)
    }
  }

  /// Serves a thread's requests: 15 blocks in 16 have up to 400 bytes, the rest up to 32 kB. Every byte is written.
  @inline(never) private static func serve(seed: Int) {
    let heap = MallocFamily()
    var random = Random(seed: seed + 1)
    var blocks = InlineArray<40, Block?>(repeating: nil)
    for _ in 0..<requestCount {
      for index in 0..<blockCount {
        let byteCount = 1 + random.below(random.below(16) == 0 ? 32_000 : 400)
        let block = heap.allocate(byteCount)
        block.fill(to: byteCount)
        blocks[index] = block
      }
      for index in 0..<blockCount { if let block = blocks[index] { heap.deallocate(block) } }
    }
  }
}

/// The figures of idle threads.
struct IdleFigures {
  /// The allocations of all requests.
  let operationCount: Int
  /// The time until all threads had served.
  let elapsed: Elapsed
  let threadCount: Int
  /// The growth of the resident bytes when all threads sleep.
  let idleResidentByteCount: Int
  /// The same after `malloc_trim(0)`.
  let trimmedResidentByteCount: Int
  let minorFaultCount: Int
}

/// What the threads of a pool share.
private struct Pool: ~Copyable {
  private let idleCount = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)

  /// Sleeps until the pool is closed.
  borrowing func idle() {
    idleCount.add(1, ordering: .relaxed)
    while !isOver.load(ordering: .relaxed) { Clock.sleep(milliseconds: 50) }
  }

  /// Waits until `count` threads are idle.
  borrowing func wait(for count: Int) {
    while idleCount.load(ordering: .relaxed) < count { Clock.sleep(milliseconds: 1) }
  }

  borrowing func close() { isOver.store(true, ordering: .relaxed) }
}
