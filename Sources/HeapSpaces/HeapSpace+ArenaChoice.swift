// Which arena serves a request. A thread keeps to one arena, its home, until it meets another thread there, as in ptmalloc
// (Gloger 2006): programs whose threads do not meet have a single arena, and no memory is split between two without need.
//
// Threads that move leave holes behind. Without a second rule each arena would grow to the most that all its guests
// together ever held: 8 threads with 9 MiB each had arenas of 124 MiB for 51 MiB of blocks. An arena therefore grows only
// when no other one has room.

extension HeapSpace {
  /// Allocates in an arena and returns that arena, locked. The block is 0 when there is no memory. Nil when no arena can
  /// be made, or when this thread already holds the arena's lock, in a signal handler.
  /// - Parameter home: The number of the arena that the thread keeps to. It changes when another thread holds that one, or
  ///   when another one has room.
  func allocateInSomeArena(
    byteCount: UInt, alignment: UInt, zeroed: Bool, home: inout UInt8
  ) -> (arena: Arena, block: UInt)? {
    guard let arena = lockArena(home: &home) else { return nil }
    var block = arena.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, mayGrow: false)
    if block != 0 { return (arena, block) }
    arena.unlock()
    if let other = allocateInOtherArena(byteCount: byteCount, alignment: alignment, zeroed: zeroed, home: &home) {
      return other
    }
    guard arena.lock() else { return nil }
    block = arena.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, mayGrow: true)
    return (arena, block)
  }

  /// The same in another arena than the thread's home, which does not grow and becomes its home. One look at each lock is
  /// enough: the threads of busy arenas would only be in the way.
  private func allocateInOtherArena(
    byteCount: UInt, alignment: UInt, zeroed: Bool, home: inout UInt8
  ) -> (arena: Arena, block: UInt)? {
    for number in 0..<HeapSpace.arenaCount where number != Int(home) && isOneNode(number, home) {
      guard let other = arena(number), case .taken = other.fields.lock.tryAcquire(attemptCount: 1) else { continue }
      if other.hasRoom {
        let block = other.allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, mayGrow: false)
        if block != 0 {
          home = UInt8(truncatingIfNeeded: number)
          return (other, block)
        }
      }
      other.unlock()
    }
    return nil
  }

  /// An arena with its lock taken: the one with the number `home`, or, if another thread holds that one, the next one,
  /// which then is home. Nil without memory, and inside the arena's lock.
  private func lockArena(home: inout UInt8) -> Arena? {
    guard let arena = makeArena(Int(home)) else { return nil }
    switch arena.fields.lock.tryAcquire() {
    case .taken: return arena
    case .mine: return nil
    case .contended:
      home = self.arena(behind: home)
      guard let next = makeArena(Int(home)) else { return arena.lock() ? arena : nil }
      return next.lock() ? next : nil
    }
  }
}

extension Arena {
  /// Whether a search is worth while: more than an eighth of the arena is free. With the lock held.
  fileprivate var hasRoom: Bool {
    fields.byteCount - min(fields.usedByteCount, fields.byteCount) > fields.byteCount / 8
  }
}
