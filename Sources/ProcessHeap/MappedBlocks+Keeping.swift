internal import CLabMalloc
internal import CLabPlatform
internal import HeapSpaces
internal import MemoryRegions
internal import Synchronization

// Keeping mappings for later (KeptMappings.swift), and giving them back. Kept mappings count against the quota like
// blocks. They go back
//
//   - when a block gets a new mapping: as many bytes of kept ones, before. Blocks and kept mappings together thus never
//     exceed the most bytes that the blocks alone once had, except for growth by realloc;
//   - when nobody has used them for the purge delay: a piece at each slow path;
//   - when the program asks for it, and when a request finds no memory: all of them.
//
// While the system works, no lock is held: a piece has left the list by then.

extension MappedBlocks {
  private static var state: ProcessState { ProcessState() }

  /// The most bytes that one slow path returns to the system. It pays about as much for each mebibyte as a dozen system
  /// calls.
  private static var purgeByteMaximum: UInt { 2 << 20 }

  /// The bytes of all kept mappings. Another thread may be changing the figure.
  static var keptByteCount: UInt { state.fields.keptByteCount.load(ordering: .relaxed) }

  /// Whether a block of that size leaves its mapping behind. Under a limit of the address space it does not: the program
  /// may want the addresses for something else.
  private static func isKept(byteCount: UInt) -> Bool {
    byteCount > ProcessHeap.arenaMaximumByteCount && byteCount <= KeptMappings.byteMaximum
      && state.fields.settings.purgeDelayMilliseconds != 0 && SystemMemory.addressSpaceLimitByteCount == nil
  }

  /// Keeps the mapping of a freed block, or returns it to the system.
  static func keepOrRelease(_ address: UInt, byteCount: UInt, in space: HeapSpace) {
    guard isKept(byteCount: byteCount) else { return release(address, byteCount: byteCount, in: space) }
    while !keep(address, byteCount: byteCount) {
      // The oldest gives way.
      guard releaseKept(atMost: oldestByteCount, in: space) != 0 else {
        return release(address, byteCount: byteCount, in: space)
      }
    }
  }

  /// Keeps a mapping; false when there is no room for it.
  private static func keep(_ address: UInt, byteCount: UInt) -> Bool {
    guard lock() else { return false }
    defer { unlock() }
    guard state.fields.kept.hasRoom(for: byteCount) else { return false }
    state.fields.kept.add(
      KeptMapping(address: address, byteCount: byteCount, keptAtMilliseconds: lab_malloc_milliseconds()))
    publishKept()
    return true
  }

  private static var oldestByteCount: UInt {
    guard lock() else { return 0 }
    defer { unlock() }
    return state.fields.kept.oldest?.byteCount ?? 0
  }

  /// A block of `byteCount` bytes, a multiple of the page, from the kept mappings; its bytes are 0 if `zeroed`. 0 when no
  /// run fits: then as many kept bytes have gone back to the system.
  static func takeKept(byteCount: UInt, alignment: UInt, zeroed: Bool, in space: HeapSpace) -> UInt {
    guard keptByteCount != 0, byteCount > ProcessHeap.arenaMaximumByteCount else { return 0 }
    let block = takeRun(byteCount: byteCount, alignment: alignment)
    if block == 0 {
      releaseKept(atMost: byteCount, in: space)
    } else if zeroed {
      clear(block, byteCount: byteCount)
    }
    return block
  }

  private static func takeRun(byteCount: UInt, alignment: UInt) -> UInt {
    guard lock() else { return 0 }
    defer { unlock() }
    guard makeRoom(), let block = state.fields.kept.take(byteCount: byteCount, alignment: alignment) else { return 0 }
    publishKept()
    add(block, byteCount)
    return block
  }

  /// Makes pages read as zeros: new ones if the system agrees, which it does not for pinned pages.
  private static func clear(_ address: UInt, byteCount: UInt) {
    do throws(SystemError) {
      try SystemPages.decommit(address, byteCount: byteCount)
    } catch {
      lab_platform_zero(address, byteCount)
    }
  }

  /// Returns a piece if one is due.
  @inline(__always)
  static func purgeIfDue() {
    let since = state.fields.keptSinceMilliseconds.load(ordering: .relaxed)
    if since != 0 { purge() }
  }

  /// Returns a piece of the kept mappings that nobody has used for the purge delay.
  /// - Returns: How many bytes it has.
  @inline(never) @discardableResult
  static func purge() -> UInt {
    let since = state.fields.keptSinceMilliseconds.load(ordering: .relaxed)
    let delay = state.fields.settings.purgeDelayMilliseconds
    let now = lab_malloc_milliseconds()
    guard since != 0, now >= since + delay else { return 0 }
    return releaseKept(atMost: purgeByteMaximum, keptUpTo: now - delay, in: ProcessHeap.processSpace)
  }

  /// Returns kept mappings to the system, the oldest first, at most `byteCount` bytes of those kept at `time` or before.
  /// - Returns: How many bytes.
  @discardableResult
  static func releaseKept(atMost byteCount: UInt = .max, keptUpTo time: UInt = .max, in space: HeapSpace) -> UInt {
    var released: UInt = 0
    while released < byteCount, let piece = takePiece(atMost: byteCount - released, keptUpTo: time) {
      release(piece.address, byteCount: piece.byteCount, in: space)
      released += piece.byteCount
    }
    return released
  }

  private static func takePiece(atMost byteCount: UInt, keptUpTo time: UInt) -> KeptMapping? {
    guard keptByteCount != 0, lock() else { return nil }
    defer { unlock() }
    let piece = state.fields.kept.takePiece(atMost: byteCount, keptUpTo: time)
    publishKept()
    return piece
  }

  /// Forgets the kept mappings, in a child of fork in which they may be half changed.
  static func abandonKept() {
    state.fields.kept = KeptMappings()
    publishKept()
  }

  /// Publishes what others read without the lock.
  private static func publishKept() {
    state.fields.keptByteCount.store(state.fields.kept.byteCount, ordering: .relaxed)
    state.fields.keptSinceMilliseconds.store(state.fields.kept.oldest?.keptAtMilliseconds ?? 0, ordering: .relaxed)
  }

  /// Returns a mapping, or a part of one, to the system.
  private static func release(_ address: UInt, byteCount: UInt, in space: HeapSpace) {
    try? SystemPages.unmap(address, byteCount: byteCount)
    space.refund(byteCount: byteCount)
  }
}
