internal import Addresses
internal import BuddyFrames
internal import CLabPlatform
internal import MemoryRegions

// Granules from the buddy and back.

extension HeapSpace {
  /// A granule for the caller's own use; nil when none is left or the quota is used up. Its fields are as its last user
  /// left them.
  package func allocateGranule() -> Granule? {
    if let granule = allocateGranuleAtHand() { return granule }
    return reclaimArena() ? allocateGranuleAtHand() : nil
  }

  private func allocateGranuleAtHand() -> Granule? {
    guard lock() else { return nil }
    defer { unlock() }
    return takeChargedGranule()
  }

  /// The first granule of a run of 2^order granules for an arena, at a multiple of the run's size; nil when none is
  /// left. The blocks in the run count against the quota, the run itself does not.
  func allocateArenaGranules(_ order: FrameOrder) -> Granule? {
    guard lock() else { return nil }
    defer { unlock() }
    return takeGranules(order)
  }

  /// Allocates `count` granules from number `first` on for an arena, right behind one of its ranges. Returns whether
  /// they were free.
  func allocateArenaGranules(from first: UInt, count: UInt) -> Bool {
    guard lock() else { return false }
    defer { unlock() }
    // In a child of fork, the granules behind a range may belong to an abandoned buddy.
    guard first >= fields.buddyFirstGranule, first <= fields.granuleCount, count <= fields.granuleCount - first
    else { return false }
    let granules = HeapSpace.frames(from: first, to: first + count)
    guard fields.frames.allocate(at: granules) else { return false }
    guard reserve(first, count: count) else {
      fields.frames.deallocate(granules)
      return false
    }
    return true
  }

  /// Frees a granule of `allocateGranule`.
  package func deallocate(_ granule: Granule) {
    guard lock() else { return }
    defer { unlock() }
    let number = number(of: granule)
    // In a child of fork, an older granule may belong to an abandoned buddy.
    guard UInt(number) >= fields.buddyFirstGranule else { return }
    granule.use = .free
    fields.frames.deallocate(HeapSpace.frame(UInt(number)), order: .min)
    uncharge(Granule.byteCount)
  }

  /// Zeroed memory for a record of `byteCount` bytes, 0 when there is none. It is never freed.
  package func allocateRecord(byteCount: UInt) -> UInt {
    let record = allocateRecordAtHand(byteCount: byteCount)
    return record != 0 || !reclaimArena() ? record : allocateRecordAtHand(byteCount: byteCount)
  }

  private func allocateRecordAtHand(byteCount: UInt) -> UInt {
    guard lock() else { return 0 }
    defer { unlock() }
    if fields.recordEnd - fields.recordNext < byteCount {
      guard let granule = takeChargedGranule() else { return 0 }
      granule.use = .metadata
      fields.recordNext = start(of: granule)
      fields.recordEnd = fields.recordNext + Granule.byteCount
      // Pages without the mark read as zeros in memory that came from the system.
      if !fields.ownsMapping || granule.fields.residentPages != 0 {
        lab_platform_zero(fields.recordNext, Granule.byteCount)
      }
    }
    let record = fields.recordNext
    fields.recordNext += byteCount
    return record
  }

  /// Allocates a granule that counts against the quota, with the lock held.
  private func takeChargedGranule() -> Granule? {
    guard hasRoom(for: Granule.byteCount), let granule = takeGranules(.min) else { return nil }
    fields.usedByteCount += Granule.byteCount
    return granule
  }

  /// Allocates the lowest free run, with the lock held.
  private func takeGranules(_ order: FrameOrder) -> Granule? {
    // Otherwise the buddy is an abandoned one.
    guard fields.buddyFirstGranule < fields.granuleCount else { return nil }
    guard let frame = fields.frames.allocate(order) else { return nil }
    let number = UInt(frame.raw / FrameOrder.min.byteCount)
    guard reserve(number, count: UInt(order.frameCount)) else {
      fields.frames.deallocate(frame, order: order)
      return nil
    }
    return granule(UInt32(truncatingIfNeeded: number))
  }

  /// Prepares granules from the buddy for use. Returns whether they could be committed.
  private func reserve(_ first: UInt, count: UInt) -> Bool {
    if first + count > committedEnd, !commit(upTo: first + count) { return false }
    // From here on, still under the lock, a purge does not touch them.
    for number in first..<first + count { granule(UInt32(truncatingIfNeeded: number)).use = .reserved }
    return true
  }
}

// In a child of fork.
extension HeapSpace {
  /// Starts a new buddy over the granules that were never committed: in a child of fork, when the old buddy may be half
  /// changed. Without such granules, or without memory for the new buddy's table, the space has no buddy from now on.
  package func abandonFrames() {
    fields.recordNext = 0
    fields.recordEnd = 0
    fields.buddyFirstGranule = fields.granuleCount
    let first = committedEnd
    guard first < fields.granuleCount else { return }
    if let reservation = fields.reservation {
      reservation.abandon(from: fields.tableEnd, to: recordPage)
      reservation.abandon(from: fields.base + first * Granule.byteCount, to: reservation.end)
    }
    let granules = HeapSpace.frames(from: first, to: fields.granuleCount)
    let tableByteCount = BuddyFrames.tableByteCount(for: granules)
    guard let table = try? SystemPages.map(byteCount: SystemPages.rounded(tableByteCount)) else { return }
    fields.frames = BuddyFrames(
      over: granules, tableIn: AddrRange(start: VirtAddr(table), byteCount: tableByteCount), holding: .zeros)
    fields.buddyFirstGranule = first
  }
}
