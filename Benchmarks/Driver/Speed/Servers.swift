import CLabDriver

/// Larson and Krishnan's server ("Memory allocation for long-running server applications", ISMM 1998): a thread
/// replaces blocks in its slots. After a number of replacements it ends and leaves its slots, with the blocks that it
/// allocated, to a new thread.
struct Servers: ~Copyable {
  private var slots: ServerSlots
  private var left: Int
  /// How many replacements a thread makes before it ends.
  private let replacementCount: Int

  /// Runs `threads` servers at the same time, which share the operations.
  static func run(_ operationCount: Int, _ sizes: SizeRange, slotCount: Int, threads: Int) -> Elapsed {
    run(operationCount, replacementCount: 10_000, threads: threads) { thread in
      .listed(Slots(sizes, count: slotCount, seed: thread + 1))
    }
  }

  /// The same with the sizes, the slots and about the long-lived threads of Larson's own program, in which starting a
  /// thread costs next to nothing beside its work.
  static func runLarson(_ operationCount: Int, _ use: DrawnSlots.Use, threads: Int) -> Elapsed {
    run(operationCount, replacementCount: 50_000, threads: threads) { thread in
      .drawn(DrawnSlots(DrawnSizes(8, 1000), count: 5_000, use, seed: thread + 1))
    }
  }

  private static func run(
    _ operationCount: Int, replacementCount: Int, threads: Int, _ slots: (_ thread: Int) -> ServerSlots
  ) -> Elapsed {
    let shares = ThreadShares(operationCount: operationCount, threadCount: threads)
    let byteCount = threads * MemoryLayout<Servers>.stride
    // SAFETY: a new mapping with room for the servers, which outlive the threads.
    var servers = unsafe mapped(byteCount).bindMemory(to: Servers.self, capacity: threads)
    for thread in 0..<threads {
      let server = Servers(
        slots: slots(thread), left: shares.operationCount(of: thread), replacementCount: replacementCount)
      unsafe (servers + thread).initialize(to: server)
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
        let count = unsafe min(servers.pointee.left, servers.pointee.replacementCount)
        unsafe servers.pointee.slots.replace(count)
        unsafe servers.pointee.left -= count
      }
    }
  }
}

/// A server's slots, by where the sizes come from.
enum ServerSlots: ~Copyable {
  case listed(Slots)
  case drawn(DrawnSlots)

  mutating func replace(_ operationCount: Int) {
    switch consume self {
    case .listed(var slots):
      slots.replace(operationCount)
      self = .listed(slots)
    case .drawn(var slots):
      slots.replace(operationCount)
      self = .drawn(slots)
    }
  }
}
