/// Blocks that one thread allocates and another frees.
@safe struct HandedBlocks {
  private let work: ThreadWork
  private let rings: UnsafeMutablePointer<BlockRing>

  /// Thread 0 allocates; the others free, each a batch in turn. A single thread does both.
  static func runProducer(_ operationCount: Int, _ sizes: SizeRange, threads: Int) -> Elapsed {
    // SAFETY: the body binds what it shares to its type, and only reads it.
    unsafe run(operationCount, sizes, threads: threads) { shared, thread in
      let handed = unsafe shared.assumingMemoryBound(to: HandedBlocks.self).pointee
      if handed.work.threadCount == 1 {
        handed.passOn(handed.work.operationCount, from: 0, to: 0, seed: 1)
      } else if thread == 0 {
        handed.produce()
      } else {
        handed.consume(thread)
      }
    }
  }

  /// Each thread allocates for its right neighbour and frees what its left neighbour allocated.
  static func runRing(_ operationCount: Int, _ sizes: SizeRange, threads: Int) -> Elapsed {
    // SAFETY: as in `runProducer`.
    unsafe run(operationCount, sizes, threads: threads) { shared, thread in
      let handed = unsafe shared.assumingMemoryBound(to: HandedBlocks.self).pointee
      let left = (thread + handed.work.threadCount - 1) % handed.work.threadCount
      handed.passOn(handed.work.operationCount(of: thread), from: left, to: thread, seed: thread + 1)
    }
  }

  private static func run(_ operationCount: Int, _ sizes: SizeRange, threads: Int, _ body: ThreadBody) -> Elapsed {
    let work = ThreadWork(operationCount: operationCount, threadCount: threads, sizes: sizes)
    // SAFETY: the rings live until the threads have ended, and every body binds what it shares to HandedBlocks.
    return unsafe BlockRing.withRings(threads) { rings in
      var handed = unsafe HandedBlocks(work: work, rings: rings)
      return unsafe LabThread.run(threads, sharing: &handed, body)
    }
  }

  /// Puts blocks into the consumers' rings in turn, and skips a ring that is full.
  private func produce() {
    let heap = MallocFamily()
    let cycle = SizeCycle(work.sizes)
    var wait = Wait()
    var consumer = 1
    var made = 0
    while made < work.operationCount {
      // SAFETY: there is a ring for each thread, and only this thread puts into those of the consumers.
      let count = unsafe rings[consumer].put(upTo: work.operationCount - made) {
        made &+= 1
        let block = heap.allocate(cycle[made])
        block.touch(made)
        return block
      }
      consumer = consumer + 1 < work.threadCount ? consumer + 1 : 1
      if count == 0 { wait.pause() } else { wait = Wait() }
    }
    // SAFETY: there is a ring for each thread.
    for consumer in 1..<work.threadCount { unsafe rings[consumer].close() }
  }

  /// Frees what arrives in a thread's ring until the producer is done.
  private func consume(_ thread: Int) {
    let heap = MallocFamily()
    var wait = Wait()
    while true {
      // SAFETY: there is a ring for each thread, and only this thread takes from its own.
      let isClosed = unsafe rings[thread].isClosed
      let count = unsafe rings[thread].take { heap.deallocate($0) }
      if count > 0 { wait = Wait() } else if isClosed { return } else { wait.pause() }
    }
  }

  /// Puts `count` blocks into the ring `to`, and frees everything that arrives in the ring `from`.
  private func passOn(_ count: Int, from: Int, to: Int, seed: Int) {
    let heap = MallocFamily()
    let cycle = SizeCycle(work.sizes, seed: seed)
    let expected = work.threadCount == 1 ? count : work.operationCount(of: from)
    var wait = Wait()
    var (made, freed) = (0, 0)
    while made < count || freed < expected {
      var progress = 0
      if made < count {
        // SAFETY: there is a ring for each thread, and only this thread puts into `to`.
        progress = unsafe rings[to].put(upTo: count - made) {
          made &+= 1
          let block = heap.allocate(cycle[made])
          block.touch(made)
          return block
        }
      }
      // SAFETY: likewise, and only this thread takes from `from`.
      let taken = unsafe rings[from].take { heap.deallocate($0) }
      freed &+= taken
      if progress &+ taken == 0 { wait.pause() } else { wait = Wait() }
    }
  }
}
