/// Threads replace blocks of mixed sizes in slots of their own. A quarter of the replaced blocks is handed to the next
/// thread, which frees them: most frees are a thread's own and some another's, as in rpmalloc's benchmark.
@safe struct ExchangedSlots {
  private static let slotCount = 1_000
  /// How many blocks a thread frees itself for each batch that it hands on.
  private static let ownCount = 3 * BlockRing.batchCount

  private let shares: ThreadShares
  private let sizes: DrawnSizes
  private let rings: UnsafeMutablePointer<BlockRing>

  static func run(_ operationCount: Int, _ sizes: DrawnSizes, threads: Int) -> Elapsed {
    let shares = ThreadShares(operationCount: operationCount, threadCount: threads)
    // SAFETY: the rings live until the threads have ended; the body binds what it shares to its type, and only reads it.
    return unsafe BlockRing.withRings(threads) { rings in
      var slots = unsafe ExchangedSlots(shares: shares, sizes: sizes, rings: rings)
      return unsafe LabThread.run(threads, sharing: &slots) { shared, thread in
        unsafe shared.assumingMemoryBound(to: ExchangedSlots.self).pointee.work(thread)
      }
    }
  }

  private func work(_ thread: Int) {
    let heap = MallocFamily()
    let next = (thread + 1) % shares.threadCount
    var slots = DrawnSlots(sizes, count: Self.slotCount, .touched, seed: thread + 1)
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
