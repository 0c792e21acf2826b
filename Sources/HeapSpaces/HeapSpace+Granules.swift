internal import Addresses
internal import CLabPlatform
internal import HeapBlocks

// Granules from the buddy and back.

extension HeapSpace {
  /// A granule of a node for the caller's own use; nil when none is left or the quota is used up. Its fields are as its
  /// last user left them.
  package func allocateGranule(onNode node: UInt8 = 0) -> Granule? {
    if let granule = allocateGranuleAtHand(onNode: node) { return granule }
    return reclaimArenas() ? allocateGranuleAtHand(onNode: node) : nil
  }

  private func allocateGranuleAtHand(onNode node: UInt8) -> Granule? {
    guard lock() else { return nil }
    defer { unlock() }
    return takeChargedGranule(onNode: UInt(node))
  }

  /// The first granule of a run of 2^order granules for an arena, at a multiple of the run's size; nil when none is
  /// left. The blocks in the run count against the quota, the run itself does not.
  func allocateArenaGranules(_ order: FrameOrder, onNode node: UInt = 0) -> Granule? {
    guard lock() else { return nil }
    defer { unlock() }
    return takeGranules(order, onNode: node)
  }

  /// Allocates `count` granules from number `first` on for an arena, right behind one of its ranges, whose chunk they
  /// must not leave. Returns whether they were free.
  func allocateArenaGranules(from first: UInt, count: UInt) -> Bool {
    guard lock() else { return false }
    defer { unlock() }
    // In a child of fork, the range may belong to an abandoned buddy.
    guard first > fields.buddyFirstGranule else { return false }
    let end = chunkEnd(around: first - 1)
    guard count <= end - first, takeRun(from: first, to: first + count) else { return false }
    reserve(first, count: count)
    return true
  }

  /// Frees a granule of `allocateGranule`.
  package func deallocate(_ granule: Granule) {
    guard lock() else { return }
    defer { unlock() }
    giveBack(granule)
    notePurgeDue()
  }

  /// Frees a granule that counts against the quota, with the lock held.
  private func giveBack(_ granule: Granule) {
    let number = UInt(number(of: granule))
    // In a child of fork, an older granule may belong to an abandoned buddy.
    guard number >= fields.buddyFirstGranule else { return }
    noteFreed(granule)
    giveBack(number, order: .min)
    uncharge(Granule.byteCount)
  }

  /// The granule behind the last that may hold records.
  private static var recordGranuleEnd: UInt { 1 << 28 }

  /// Zeroed memory for a record of `byteCount` bytes, at a multiple of them from the space's start; 0 when there is none.
  /// All records have the same size. They are never freed. They lie in the first 16 TiB of the space: others name them
  /// by 32 bits.
  package func allocateRecord(byteCount: UInt) -> UInt {
    let record = allocateRecordAtHand(byteCount: byteCount)
    return record != 0 || !reclaimArenas() ? record : allocateRecordAtHand(byteCount: byteCount)
  }

  private func allocateRecordAtHand(byteCount: UInt) -> UInt {
    guard lock() else { return 0 }
    defer { unlock() }
    guard hasRecordGranule(for: byteCount) else { return 0 }
    let record = fields.recordNext
    fields.recordNext += byteCount
    return record
  }

  /// Zeroed memory for a record of another size, from the end of the granule; 0 when there is none. With the lock held.
  func takeRecordFromEnd(byteCount: UInt) -> UInt {
    guard hasRecordGranule(for: byteCount) else { return 0 }
    fields.recordEnd -= byteCount
    return fields.recordEnd
  }

  /// Whether there is a granule with room for one more record, allocated now if need be. With the lock held.
  private func hasRecordGranule(for byteCount: UInt) -> Bool {
    if fields.recordEnd - fields.recordNext >= byteCount { return true }
    guard let granule = takeChargedGranule(onNode: 0) else { return false }
    guard number(of: granule) < HeapSpace.recordGranuleEnd else {
      giveBack(granule)
      return false
    }
    granule.use = .metadata
    fields.recordNext = start(of: granule)
    fields.recordEnd = fields.recordNext + Granule.byteCount
    // Pages without the mark read as zeros in memory that came from the system.
    if !fields.ownsMapping || granule.fields.residentPages != 0 {
      lab_platform_zero(fields.recordNext, Granule.byteCount)
    }
    return true
  }

  /// Allocates a granule that counts against the quota, with the lock held.
  private func takeChargedGranule(onNode node: UInt) -> Granule? {
    guard hasRoom(for: Granule.byteCount), let granule = takeGranules(.min, onNode: node) else { return nil }
    fields.usedByteCount += Granule.byteCount
    return granule
  }

  /// Allocates the lowest free run of a node, with the lock held.
  private func takeGranules(_ order: FrameOrder, onNode node: UInt) -> Granule? {
    guard let number = takeRun(order, onNode: node) else { return nil }
    reserve(number, count: UInt(order.frameCount))
    return granule(UInt32(truncatingIfNeeded: number))
  }

  /// Marks granules from a buddy. From here on, still under the lock, a purge does not touch them.
  private func reserve(_ first: UInt, count: UInt) {
    for number in first..<first + count { noteUsed(granule(UInt32(truncatingIfNeeded: number))) }
  }

  /// Notes that a granule left the buddy, with the lock held.
  private func noteUsed(_ granule: Granule) {
    granule.use = .reserved
    fields.heldGranuleCount += 1
    let residentByteCount = Granule.byteCount(ofPages: granule.fields.residentPages)
    fields.decay.noteReused(residentByteCount)
    fields.decay.noteGrown(Granule.byteCount - residentByteCount, now: milliseconds)
  }

  /// Notes that a granule goes back to the buddy, with the lock held.
  func noteFreed(_ granule: Granule) {
    granule.use = .free
    fields.heldGranuleCount -= 1
    fields.decay.noteFreed(Granule.byteCount(ofPages: granule.fields.residentPages))
  }
}

// In a child of fork.
extension HeapSpace {
  /// Starts anew with the granules above all committed ones: in a child of fork, when a buddy may be half changed.
  package func abandonFrames() {
    fields.recordNext = 0
    fields.recordEnd = 0
    let first = committedEnd
    fields.buddyFirstGranule = first
    fields.chunksEnd = first
    fields.lowestHeads = .init(repeating: first)
    guard let reservation = fields.reservation else { return }
    reservation.abandon(from: fields.tableEnd, to: fields.base)
    reservation.abandon(from: fields.base + first * Granule.byteCount, to: reservation.end)
  }
}
