/// Half of the threads allocate batches of blocks, the other half frees them: the pattern of xmalloc-test (Lever and
/// Boreham, "malloc() performance in a multithreaded Linux environment", USENIX 2000). Every block is freed by a thread
/// that did not allocate it, and the heap breathes with the number of batches that wait.
struct Pipeline: ~Copyable {
  /// The bytes at the start of a block that its allocating thread writes.
  private static let writtenByteCount = 128

  private let shares: ThreadShares
  private let sizes: DrawnSizes
  private let batches: BatchStack

  /// Runs `threads` threads, an even number.
  static func run(_ operationCount: Int, _ sizes: DrawnSizes, threads: Int) -> Elapsed {
    let putterCount = threads / 2
    var pipeline = Pipeline(
      shares: ThreadShares(operationCount: operationCount, threadCount: putterCount), sizes: sizes,
      batches: BatchStack(putterCount: putterCount))
    // SAFETY: the body binds what it shares to its type; it changes nothing in it but under the stack's lock.
    return unsafe LabThread.run(threads, sharing: &pipeline) { shared, thread in
      unsafe shared.assumingMemoryBound(to: Pipeline.self).pointee.work(thread)
    }
  }

  private borrowing func work(_ thread: Int) {
    if thread < shares.threadCount { allocate(thread) } else { deallocate() }
  }

  private borrowing func allocate(_ thread: Int) {
    let heap = MallocFamily()
    var random = Random(seed: thread + 1)
    var left = shares.operationCount(of: thread)
    while left > 0 {
      let count = min(left, BlockBatch.capacity)
      let batch = BlockBatch(heap)
      for _ in 0..<count {
        let byteCount = sizes.size(random.nextHalves().1)
        let block = heap.allocate(byteCount)
        block.fill(to: min(byteCount, Self.writtenByteCount))
        batch.add(block)
      }
      batches.put(batch)
      left -= count
    }
    batches.endPutting()
  }

  private borrowing func deallocate() {
    let heap = MallocFamily()
    while let batch = batches.take() { batch.deallocateAll(heap) }
  }
}
