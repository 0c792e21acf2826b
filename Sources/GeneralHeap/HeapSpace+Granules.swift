internal import Addresses
internal import BuddyFrames
internal import CLabMalloc
internal import MemoryRegions

// Granules out of the buddy and back.

extension HeapSpace {
  /// How many granules are committed at once: 4 MiB, or a sixteenth of what is committed already.
  private static var stepGranuleCount: UInt { 64 }

  /// A granule for the caller's own use, nil when there is none left or the quota is used up. Its fields are as its
  /// last user left them.
  func allocateGranule() -> Span? {
    if let span = allocateGranuleAtHand() { return span }
    return reclaimArena() ? allocateGranuleAtHand() : nil
  }

  private func allocateGranuleAtHand() -> Span? {
    guard HeapLock.acquire(at: address) else { return nil }
    defer { HeapLock.release(at: address) }
    return takeChargedGranule()
  }

  /// A run of 2^order granules for an arena, at a multiple of its size, by its first one; nil when there is none left.
  /// Not the run counts against the quota but the blocks in it.
  func allocateArenaGranules(_ order: FrameOrder) -> Span? {
    guard HeapLock.acquire(at: address) else { return nil }
    defer { HeapLock.release(at: address) }
    return takeGranules(order)
  }

  /// Takes `count` granules from number `first` on for an arena, those behind one of its ranges; whether they were free.
  func allocateArenaGranules(from first: UInt, count: UInt) -> Bool {
    guard HeapLock.acquire(at: address) else { return false }
    defer { HeapLock.release(at: address) }
    // In a child of fork, what follows a range may belong to a buddy that was abandoned.
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

  /// Takes a run back that `allocateGranules` gave out.
  func deallocateGranules(_ span: Span, _ order: FrameOrder) {
    guard HeapLock.acquire(at: address) else { return }
    defer { HeapLock.release(at: address) }
    let granule = granule(of: span)
    // In a child of fork, granules from before may belong to a buddy that was abandoned.
    guard UInt(granule) >= fields.buddyFirstGranule else { return }
    span.kind = .none
    span.state = .idle
    fields.frames.deallocate(PhysAddr(UInt64(granule) << 12), order: order)
    let byteCount = UInt(order.frameCount) * Span.byteCount
    fields.usedByteCount -= min(byteCount, fields.usedByteCount)
  }

  /// Room for a heap record of `byteCount` bytes, zeroed, 0 when there is none.
  func allocateRecord(byteCount: UInt) -> UInt {
    let record = allocateRecordAtHand(byteCount: byteCount)
    return record != 0 || !reclaimArena() ? record : allocateRecordAtHand(byteCount: byteCount)
  }

  private func allocateRecordAtHand(byteCount: UInt) -> UInt {
    guard HeapLock.acquire(at: address) else { return 0 }
    defer { HeapLock.release(at: address) }
    if fields.recordEnd - fields.recordNext < byteCount {
      guard let span = takeChargedGranule() else { return 0 }
      span.kind = .metadata
      fields.recordNext = start(of: span)
      fields.recordEnd = fields.recordNext + Span.byteCount
      // What no page is noted for reads as zeros, in memory that came from the system as such.
      if !fields.ownsMapping || span.fields.residentPages != 0 {
        lab_malloc_bytes_zero(CUnsignedLong(fields.recordNext), CUnsignedLong(Span.byteCount))
      }
    }
    let record = fields.recordNext
    fields.recordNext += byteCount
    return record
  }

  /// How many bytes more the quota allows, all of them if there is none.
  var quotaRoom: UInt {
    if quotaByteCount == .max { return .max }
    guard HeapLock.acquire(at: address) else { return .max }
    defer { HeapLock.release(at: address) }
    return quotaByteCount - min(fields.usedByteCount, quotaByteCount)
  }

  /// Counts bytes against the quota; false when they would exceed it.
  func charge(byteCount: UInt) -> Bool {
    if quotaByteCount == .max { return true }
    guard HeapLock.acquire(at: address) else { return false }
    defer { HeapLock.release(at: address) }
    guard hasRoom(for: byteCount) else { return false }
    fields.usedByteCount += byteCount
    return true
  }

  /// Takes bytes off the quota's account.
  func refund(byteCount: UInt) {
    if quotaByteCount == .max { return }
    guard HeapLock.acquire(at: address) else { return }
    fields.usedByteCount -= min(byteCount, fields.usedByteCount)
    HeapLock.release(at: address)
  }

  /// Whether the quota has room for so many bytes more, with the lock held.
  private func hasRoom(for byteCount: UInt) -> Bool {
    quotaByteCount - min(fields.usedByteCount, quotaByteCount) >= byteCount
  }

  /// A granule that counts against the quota, with the lock held.
  private func takeChargedGranule() -> Span? {
    guard hasRoom(for: Span.byteCount), let span = takeGranules(.min) else { return nil }
    fields.usedByteCount += Span.byteCount
    return span
  }

  /// Starts a new buddy over what was never committed: in a child of fork, when the old one may be half changed. When
  /// there is nothing of that kind, or no memory for the new one's table, there is no buddy from now on.
  func abandonFrames() {
    fields.recordNext = 0
    fields.recordEnd = 0
    fields.buddyFirstGranule = fields.granuleCount
    let first = committedEnd
    guard first < fields.granuleCount else { return }
    if let reservation = fields.reservation {
      reservation.abandon(from: fields.tableEnd, to: address & ~4095)
      reservation.abandon(from: fields.base + first * Span.byteCount, to: reservation.end)
    }
    let granules = HeapSpace.frames(from: first, to: fields.granuleCount)
    let tableByteCount = BuddyFrames.tableByteCount(for: granules)
    guard let table = try? SystemPages.map(byteCount: SystemPages.rounded(tableByteCount)) else { return }
    fields.frames = BuddyFrames(
      over: granules, tableIn: AddrRange(start: VirtAddr(table), byteCount: tableByteCount), holding: .zeros)
    fields.buddyFirstGranule = first
  }

  /// The lowest free run, with the lock held.
  private func takeGranules(_ order: FrameOrder) -> Span? {
    // Else the buddy is one that was abandoned.
    guard fields.buddyFirstGranule < fields.granuleCount else { return nil }
    guard let frame = fields.frames.allocate(order) else { return nil }
    let granule = UInt(frame.raw >> 12)
    guard reserve(granule, count: UInt(order.frameCount)) else {
      fields.frames.deallocate(frame, order: order)
      return nil
    }
    return span(UInt32(truncatingIfNeeded: granule))
  }

  /// Makes granules that the buddy gave ready for use; whether they could be committed.
  private func reserve(_ first: UInt, count: UInt) -> Bool {
    if first + count > committedEnd, !commit(upTo: first + count) { return false }
    // From here on, still under the lock, a purge leaves them alone.
    for number in first..<first + count {
      span(UInt32(truncatingIfNeeded: number)).state = .reserved
    }
    return true
  }

  /// Commits granules and their descriptors, at least up to `end`.
  private func commit(upTo end: UInt) -> Bool {
    let first = committedEnd
    let step = max(HeapSpace.stepGranuleCount, first / 16)
    return commit(from: first, to: min(max(end, first + step), fields.granuleCount))
      || commit(from: first, to: end)
  }

  private func commit(from first: UInt, to end: UInt) -> Bool {
    // The descriptors, in whole pages. Those of the tables' own granules come with the first ones: frees read them, too.
    let tableEnd = min((fields.base + end * Span.recordByteCount + 4095) & ~4095, address & ~4095)
    if fields.tableEnd < tableEnd {
      guard commit(fields.tableEnd, byteCount: tableEnd - fields.tableEnd) else { return false }
      fields.tableEnd = tableEnd
    }
    let start = fields.base + first * Span.byteCount
    guard commit(start, byteCount: (end - first) * Span.byteCount) else { return false }
    committedEnd = end
    if ProcessState().space == address {
      lab_malloc_space_scaled_end_set(CUnsignedLong(end * Span.recordByteCount))
    }
    return true
  }

  private func commit(_ address: UInt, byteCount: UInt) -> Bool {
    fields.reservation?.commit(address, byteCount: byteCount) ?? false
  }
}
