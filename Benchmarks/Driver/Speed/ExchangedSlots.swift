import Synchronization

/// Threads replace blocks of mixed sizes in slots of their own. A quarter of the replaced blocks is handed to the next
/// thread, which frees them: most frees are a thread's own and some another's, as in rpmalloc's benchmark.
@safe struct ExchangedSlots: ~Copyable {
  private static let slotCount = 1_000
  /// How many blocks a thread frees itself for each batch that it hands on.
  private static let ownCount = 3 * BlockRing.batchCount

  private let shares: ThreadShares
  private let sizes: DrawnSizes
  private let rings: UnsafeMutablePointer<BlockRing>
  private let readyCount = Atomic<Int>(0)
  private let doneCount = Atomic<Int>(0)
  /// The times at which the last thread was ready and the last one was done.
  private let times = MappedTable<Elapsed>(count: 2)

  private init(_ shares: ThreadShares, _ sizes: DrawnSizes, _ rings: UnsafeMutablePointer<BlockRing>) {
    self.shares = shares
    self.sizes = sizes
    // SAFETY: `run` keeps the rings until the threads have ended.
    unsafe self.rings = rings
  }

  static func run(_ operationCount: Int, _ sizes: DrawnSizes, threads: Int) -> Elapsed {
    let shares = ThreadShares(operationCount: operationCount, threadCount: threads)
    // SAFETY: the rings live until the threads have ended; the body binds what it shares to its type, and changes nothing
    // in it but by atomics, and each time by one thread.
    return unsafe BlockRing.withRings(threads) { rings in
      var slots = unsafe ExchangedSlots(shares, sizes, rings)
      unsafe LabThread.run(threads, sharing: &slots) { shared, thread in
        unsafe shared.assumingMemoryBound(to: ExchangedSlots.self).pointee.work(thread)
      }
      return slots.times[1] - slots.times[0]
    }
  }

  private borrowing func work(_ thread: Int) {
    var slots = DrawnSlots(sizes, count: Self.slotCount, .touched, seed: thread + 1)
    if readyCount.add(1, ordering: .relaxed).newValue == shares.threadCount { times[0] = .now }
    var wait = Wait()
    while readyCount.load(ordering: .relaxed) < shares.threadCount { wait.pause() }
    exchange(&slots, thread)
    if doneCount.add(1, ordering: .relaxed).newValue == shares.threadCount { times[1] = .now }
  }

  private borrowing func exchange(_ slots: inout DrawnSlots, _ thread: Int) {
    let heap = MallocFamily()
    let next = (thread + 1) % shares.threadCount
    var left = shares.operationCount(of: thread)
    while left > 0 {
      let ownCount = min(left, Self.ownCount)
      slots.replace(ownCount)
      left -= ownCount
      // SAFETY: there is a ring for each thread; this one alone puts into its neighbour's and takes from its own.
      left -= unsafe rings[next].put(upTo: left) { slots.exchange() }
      _ = unsafe rings[thread].take { heap.deallocate($0) }
    }
    // SAFETY: as above.
    unsafe rings[next].close()
    var wait = Wait()
    while true {
      let isClosed = unsafe rings[thread].isClosed
      let count = unsafe rings[thread].take { heap.deallocate($0) }
      if count > 0 { wait = Wait() } else if isClosed { return } else { wait.pause() }
    }
  }
}
