internal import FirstFitHeap
package import HeapBlocks
internal import Synchronization

// An arena: ranges of granules in which first fit places the blocks that spans do not serve. A space has several, each
// with a lock of its own (HeapSpace+ArenaChoice.swift).

/// The fields of an arena. They belong to the holder of its lock.
package struct ArenaRecord: ~Copyable {
  package let lock = HeapLock()
  /// The address of the space that the granules come from.
  let space: UInt
  /// The arena's number in the space.
  let number: UInt8
  /// How often the arena was abandoned, in children of fork.
  package var epoch: UInt32 = 0
  /// The blocks, and the size of the ranges.
  var heap = FirstFitHeap()
  package var byteCount: UInt = 0
  /// How many bytes of blocks are in use or in thread caches.
  package var usedByteCount: UInt = 0
  /// The same as the statistics count them: of a class's blocks what the class has, of others their headers as well.
  var countedByteCount: UInt = 0
  /// When to purge the holes, and how far the purge under way has come; 0 for none.
  package var decay = PurgeDecay()
  var purgePosition: UInt = 0

  init(space: UInt, number: UInt8) {
    self.space = space
    self.number = number
  }
}

/// An arena, by the address of its record.
package struct Arena: Equatable {
  package let address: UInt

  package var fields: ArenaRecord {
    // SAFETY: an arena is made only over a record that its space allocated, and a record is never freed.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  var space: HeapSpace { HeapSpace(address: fields.space) }

  /// The size of a record.
  static var recordByteCount: UInt { Granule.roundedUpToRecord(UInt(MemoryLayout<ArenaRecord>.size)) }

  /// A new arena of a space, with its record at `address`.
  static func create(at address: UInt, number: UInt8, in space: HeapSpace) -> Arena {
    // SAFETY: the record is the arena's alone, large enough, and aligned to 64 bytes.
    unsafe UnsafeMutablePointer<ArenaRecord>(bitPattern: address).unsafelyUnwrapped.initialize(
      to: ArenaRecord(space: space.address, number: number))
    return Arena(address: address)
  }

  /// Takes the lock; false when this thread holds it already.
  func lock() -> Bool { fields.lock.acquire(space.fields.hooks.wait) }
  func unlock() { fields.lock.release() }
}

// The arenas of a space.
extension HeapSpace {
  /// The most arenas that a space has.
  package static var arenaCount: Int { Arenas.count }

  /// The arena with a number; nil when it was never needed. The first one always exists.
  func arena(_ number: Int) -> Arena? {
    // Acquire pairs with the release in `makeArena`.
    let address = withAtomic(&fields.arenas[number]) { $0.load(ordering: .acquiring) }
    return address == 0 ? nil : Arena(address: address)
  }

  /// The arena with a number, made if need be; nil when there is no memory.
  func makeArena(_ number: Int) -> Arena? {
    if let arena = arena(number) { return arena }
    guard lock() else { return nil }
    defer { unlock() }
    if let arena = arena(number) { return arena }
    let record = takeRecordFromEnd(byteCount: Arena.recordByteCount)
    guard record != 0 else { return nil }
    let arena = Arena.create(at: record, number: UInt8(truncatingIfNeeded: number), in: self)
    // Release pairs with the acquire in `arena(_:)`.
    withAtomic(&fields.arenas[number]) { $0.store(arena.address, ordering: .releasing) }
    return arena
  }

  /// The arena to which a granule belongs.
  func arena(of part: ArenaPart) -> Arena { Arena(address: fields.arenas[Int(part.fields.arenaNumber)]) }

  /// Visits the arenas.
  package func forEachArena(_ body: (Arena) -> Void) {
    for number in 0..<HeapSpace.arenaCount {
      if let arena = arena(number) { body(arena) }
    }
  }

  /// How many bytes the arenas' ranges have. Takes the arenas' locks, one after the other.
  package var arenaExtentByteCount: UInt { sum { $0.fields.byteCount } }

  /// How many bytes of blocks the arenas have in use or in thread caches. Takes the arenas' locks, one after the other.
  package var arenaUsedByteCount: UInt { sum { $0.fields.usedByteCount } }

  /// The same as the statistics count them.
  package var arenaCountedByteCount: UInt { sum { $0.fields.countedByteCount } }

  /// The sum of a figure of all arenas, each read under the arena's lock; without it in a signal handler whose thread
  /// holds the lock.
  private func sum(_ figure: (Arena) -> UInt) -> UInt {
    var sum: UInt = 0
    forEachArena { arena in
      let isLocked = arena.lock()
      sum += figure(arena)
      if isLocked { arena.unlock() }
    }
    return sum
  }
}

/// The addresses of a space's arenas, 0 where there is none.
package typealias Arenas = InlineArray<8, UInt>
