/// Threads that allocate a little and end: what an allocator spends to set up and take down a thread's caches.
enum ThreadChurn {
  static func run(_ operationCount: Int, _ sizes: SizeRange, blockCount: Int) -> Elapsed {
    var work = ThreadWork(operationCount: blockCount, threadCount: 1, sizes: sizes)
    let threads = MappedTable<LabThread>(count: 1)
    let start = Elapsed.now
    // SAFETY: each thread ends before the next one starts, and the last one before the pointer becomes invalid.
    unsafe withUnsafeMutablePointer(to: &work) { work in
      unsafe threads[0] = LabThread(0, work) { shared, _ in
        ThreadChurn.allocate(unsafe shared.assumingMemoryBound(to: ThreadWork.self).pointee)
      }
      for _ in 0..<operationCount {
        // SAFETY: the thread's place stays until the thread has ended.
        unsafe LabThread.start(threads.address(of: 0))
        threads[0].join()
      }
    }
    return .now - start
  }

  @inline(never) private static func allocate(_ work: ThreadWork) {
    let heap = MallocFamily()
    var random = Random(seed: 1)
    var blocks = InlineArray<100, Block?>(repeating: nil)
    for index in 0..<min(work.operationCount, blocks.count) {
      let block = heap.allocate(work.sizes.draw(&random))
      block.touch(index)
      blocks[index] = block
    }
    for index in 0..<blocks.count { if let block = blocks[index] { heap.deallocate(block) } }
  }
}
