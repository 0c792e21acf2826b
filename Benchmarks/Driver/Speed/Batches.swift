import CLabDriver

/// Which block of a batch is freed first: the last allocated or the first.
enum BatchOrder {
  case lastFirst
  case firstFirst
}

/// Batches of a thousand blocks: allocates them all, then frees them all.
struct Batches: ~Copyable {
  static let blockCount = 1000

  private let heap = MallocFamily()
  private let sizes: SizeCycle
  private let blocks = MappedTable<Block>(count: blockCount)

  init(_ range: SizeRange, seed: Int = 1) { sizes = SizeCycle(range, seed: seed) }

  @inline(never) borrowing func run(_ operationCount: Int, _ order: BatchOrder) -> Elapsed {
    Clock.time {
      var left = operationCount
      while left > 0 {
        let count = min(left, Self.blockCount)
        for index in 0..<count {
          let block = heap.allocate(sizes[left &- index])
          block.touch(index)
          blocks[index] = block
        }
        switch order {
        case .firstFirst: for index in 0..<count { heap.deallocate(blocks[index]) }
        case .lastFirst: for index in 0..<count { heap.deallocate(blocks[count &- 1 &- index]) }
        }
        left -= count
      }
    }
  }

  /// Runs batches on each of `threads` threads, which share nothing but the allocator.
  static func runThreads(_ operationCount: Int, _ range: SizeRange, threads: Int) -> Elapsed {
    var work = ThreadWork(operationCount: operationCount, threadCount: threads, sizes: range)
    // SAFETY: the body binds what it shares to its type, and only reads it.
    return unsafe LabThread.run(threads, sharing: &work) { shared, thread in
      let work = unsafe shared.assumingMemoryBound(to: ThreadWork.self).pointee
      let batches = Batches(work.sizes, seed: thread + 1)
      _ = batches.run(work.operationCount(of: thread), .firstFirst)
    }
  }
}
