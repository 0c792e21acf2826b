internal import Synchronization

// The quota: what counts are granules of spans and of records, blocks in arenas, and mappings that stand alone. As long as
// there is no quota nothing is counted; the first one therefore begins with a count.

extension HeapSpace {
  /// The quota, `UInt.max` for none. Relaxed: requests of the very moment when it is set may count or not.
  package var quotaByteCount: UInt {
    get { fields.quotaByteCount.load(ordering: .relaxed) }
    nonmutating set { fields.quotaByteCount.store(newValue, ordering: .relaxed) }
  }

  /// How many bytes more the quota allows, all of them if there is none.
  var quotaRoom: UInt {
    if quotaByteCount == .max { return .max }
    guard lock() else { return .max }
    defer { unlock() }
    return quotaByteCount - min(fields.usedByteCount, quotaByteCount)
  }

  /// Counts bytes against the quota; false when they would exceed it.
  package func charge(byteCount: UInt) -> Bool {
    if quotaByteCount == .max { return true }
    guard lock() else { return false }
    defer { unlock() }
    guard hasRoom(for: byteCount) else { return false }
    fields.usedByteCount += byteCount
    return true
  }

  /// Takes bytes off the quota's account.
  package func refund(byteCount: UInt) {
    if quotaByteCount == .max { return }
    guard lock() else { return }
    uncharge(byteCount)
    unlock()
  }

  /// The same with the lock held.
  func uncharge(_ byteCount: UInt) { fields.usedByteCount -= min(byteCount, fields.usedByteCount) }

  /// Whether the quota has room for so many bytes more, with the lock held.
  func hasRoom(for byteCount: UInt) -> Bool {
    quotaByteCount - min(fields.usedByteCount, quotaByteCount) >= byteCount
  }

  /// Sets the quota; mappings count with so many bytes. The caller holds their lock, which comes before the two here.
  package func setQuota(byteCount: UInt, mappedByteCount: UInt) {
    guard lockArenas() else { return }
    defer { unlockArenas() }
    guard lock() else { return }
    defer { unlock() }
    if quotaByteCount == .max {
      fields.usedByteCount = chargedGranuleCount * Granule.byteCount + fields.arenaUsedByteCount + mappedByteCount
    }
    quotaByteCount = byteCount
  }

  /// The granules that count against a quota: those of spans, of empty spans in threads' reserves, and of records.
  private var chargedGranuleCount: UInt {
    var count: UInt = 0
    for number in fields.firstGranule..<committedEnd {
      switch granule(UInt32(truncatingIfNeeded: number)).use {
      case .reserved, .fullSpan, .currentSpan, .availableSpan, .metadata: count += 1
      case .free, .arena: break
      }
    }
    return count
  }
}
