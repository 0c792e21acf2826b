import CLabDriver

/// Larson and Krishnan's server ("Memory allocation for long-running server applications", ISMM 1998): a thread
/// replaces blocks in its slots, and when it has done so often enough it ends and leaves its slots, with blocks that it
/// allocated, to a new thread.
struct Servers: ~Copyable {
  /// How many replacements a thread makes before it ends.
  static let replacementCount = 10_000

  private var slots: Slots
  private var left: Int

  /// `threads` servers at a time share the operations. Filling and freeing the slots is measured too: threads do it,
  /// and it is little.
  static func run(_ operationCount: Int, _ sizes: SizeRange, slotCount: Int, threads: Int) -> Elapsed {
    var work = ServerWork(
      work: ThreadWork(operationCount: operationCount, threadCount: threads, sizes: sizes), slotCount: slotCount)
    return Clock.time {
      unsafe LabThread.run(threads, sharing: &work) { shared, thread in
        let servers = unsafe shared.assumingMemoryBound(to: ServerWork.self).pointee
        var lane = Servers(
          slots: Slots(servers.work.sizes, count: servers.slotCount, seed: thread + 1),
          left: servers.work.operationCount(of: thread))
        while lane.left > 0 { lane.runThread() }
      }
    }
  }

  /// Lets one thread work with the slots, and waits for its end.
  private mutating func runThread() {
    unsafe LabThread.run(1, sharing: &self) { shared, _ in
      let servers = unsafe shared.assumingMemoryBound(to: Servers.self)
      let count = min(unsafe servers.pointee.left, Servers.replacementCount)
      unsafe servers.pointee.slots.replace(count)
      unsafe servers.pointee.left -= count
    }
  }
}

/// What the servers are told.
private struct ServerWork {
  let work: ThreadWork
  let slotCount: Int
}
