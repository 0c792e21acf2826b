import Synchronization

/// Threads take turns: each frees what the previous one allocated, and then allocates as much itself. Only one thread's
/// blocks are live at a time, but no thread ends, so whatever an allocator caches per thread adds up.
@safe struct HandOff: ~Copyable {
  static let threadCount = 8
  private static let turnCount = 32

  private let held: UnsafeMutablePointer<HeldBlocks>
  private let liveByteCount: Int
  private let turn = Atomic<Int>(0)

  static func run(_ held: inout HeldBlocks, _ percent: Int) {
    // SAFETY: the threads end before the pointer's life does, and the body binds what it shares to its type.
    unsafe withUnsafeMutablePointer(to: &held) { held in
      var handOff = unsafe HandOff(held: held, liveByteCount: (64 << 20) / 100 * percent)
      unsafe LabThread.run(threadCount, sharing: &handOff) { shared, thread in
        unsafe shared.assumingMemoryBound(to: HandOff.self).pointee.takeTurns(thread)
      }
    }
  }

  private init(held: UnsafeMutablePointer<HeldBlocks>, liveByteCount: Int) {
    // SAFETY: the pointer is kept only as long as `run` holds it; `takeTurns` says who may use it.
    unsafe self.held = held
    self.liveByteCount = liveByteCount
  }

  private borrowing func takeTurns(_ thread: Int) {
    for own in stride(from: thread, to: Self.turnCount, by: Self.threadCount) {
      // Acquiring pairs with the previous thread's release: the blocks are this thread's alone now.
      while turn.load(ordering: .acquiring) != own { Clock.sleep(milliseconds: 1) }
      // SAFETY: one thread has the turn, and only that one touches the blocks.
      unsafe held.pointee.deallocateInOrder()
      unsafe held.pointee.allocate(SizeRange(16, 4096), upTo: liveByteCount)
      turn.store(own + 1, ordering: .releasing)
    }
    // No thread ends before the last turn: the allocator would take the caches of an ended thread back.
    while turn.load(ordering: .acquiring) < Self.turnCount { Clock.sleep(milliseconds: 1) }
  }
}
