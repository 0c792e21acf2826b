import CLabDriver

/// Larson and Krishnan's server ("Memory allocation for long-running server applications", ISMM 1998): a thread
/// replaces blocks in its slots. After a number of replacements it ends and leaves its slots, with the blocks that it
/// allocated, to a new thread.
struct Servers: ~Copyable {
  /// How many replacements a thread makes before it ends.
  static let replacementCount = 10_000

  private var slots: Slots
  private var left: Int

  /// Runs `threads` servers at the same time, which share the operations.
  static func run(_ operationCount: Int, _ sizes: SizeRange, slotCount: Int, threads: Int) -> Elapsed {
    let work = ThreadWork(operationCount: operationCount, threadCount: threads, sizes: sizes)
    let byteCount = threads * MemoryLayout<Servers>.stride
    // SAFETY: a new mapping with room for the servers, which outlive the threads.
    var servers = unsafe mapped(byteCount).bindMemory(to: Servers.self, capacity: threads)
    for thread in 0..<threads {
      let slots = Slots(sizes, count: slotCount, seed: thread + 1)
      unsafe (servers + thread).initialize(to: Servers(slots: slots, left: work.operationCount(of: thread)))
    }
    defer {
      // SAFETY: the threads have ended; each place holds a server, and the mapping has this length.
      unsafe servers.deinitialize(count: threads)
      unsafe munmap(servers, byteCount)
    }
    // SAFETY: the body binds what it shares to its type, and each thread touches the server of its number alone.
    return unsafe LabThread.run(threads, sharing: &servers) { shared, thread in
      let servers = unsafe shared.assumingMemoryBound(to: UnsafeMutablePointer<Servers>.self).pointee
      unsafe servers[thread].work()
    }
  }

  /// Runs one thread after another on the slots.
  private mutating func work() {
    while left > 0 {
      // SAFETY: the body binds what it shares to its type, and the thread has it alone until it ends.
      unsafe LabThread.run(1, sharing: &self) { shared, _ in
        let servers = unsafe shared.assumingMemoryBound(to: Servers.self)
        let count = min(unsafe servers.pointee.left, Servers.replacementCount)
        unsafe servers.pointee.slots.replace(count)
        unsafe servers.pointee.left -= count
      }
    }
  }
}
