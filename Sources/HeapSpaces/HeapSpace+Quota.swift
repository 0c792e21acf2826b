internal import Synchronization

// The quota. It counts the granules of spans and of records, blocks in arenas, and mappings that stand alone. Nothing
// is counted without a quota; setting the first one therefore starts with a count.

extension HeapSpace {
  /// The quota, `UInt.max` for none. Relaxed: requests made while it is being set may count or not.
  package var quotaByteCount: UInt {
    get { fields.quotaByteCount.load(ordering: .relaxed) }
    nonmutating set { fields.quotaByteCount.store(newValue, ordering: .relaxed) }
  }

  /// How many bytes more the quota allows, `UInt.max` without one.
  var quotaRoom: UInt {
    if quotaByteCount == .max { return .max }
    guard lock() else { return .max }
    defer { unlock() }
    return unchargedByteCount
  }

  /// The same with the lock held.
  private var unchargedByteCount: UInt { quotaByteCount - min(fields.usedByteCount, quotaByteCount) }

  /// Charges bytes to the quota; false when they would exceed it.
  package func charge(byteCount: UInt) -> Bool {
    if quotaByteCount == .max { return true }
    guard lock() else { return false }
    defer { unlock() }
    guard hasRoom(for: byteCount) else { return false }
    fields.usedByteCount += byteCount
    return true
  }

  /// Refunds bytes to the quota.
  package func refund(byteCount: UInt) {
    if quotaByteCount == .max { return }
    guard lock() else { return }
    uncharge(byteCount)
    unlock()
  }

  /// The same with the lock held.
  func uncharge(_ byteCount: UInt) { fields.usedByteCount -= min(byteCount, fields.usedByteCount) }

  /// Whether the quota has room for `byteCount` more bytes, with the lock held.
  func hasRoom(for byteCount: UInt) -> Bool { unchargedByteCount >= byteCount }

  /// Sets the quota; mappings count with `mappedByteCount` bytes. The caller holds the mappings' lock, which comes
  /// before the lock here. Arena blocks that come or go at the same time may be counted twice or not at all.
  package func setQuota(byteCount: UInt, mappedByteCount: UInt) {
    // Before the space's lock, which comes after the arenas'.
    let arenaByteCount = quotaByteCount == .max ? arenaUsedByteCount : 0
    guard lock() else { return }
    defer { unlock() }
    if quotaByteCount == .max {
      fields.usedByteCount = chargedGranuleCount * Granule.byteCount + arenaByteCount + mappedByteCount
    }
    quotaByteCount = byteCount
  }

  /// The granules that count against a quota: those of spans, of empty spans in threads' reserves, and of records.
  private var chargedGranuleCount: UInt {
    var count: UInt = 0
    forEachGranule { number in
      switch granule(number).use {
      case .reserved, .fullSpan, .currentSpan, .availableSpan, .metadata: count += 1
      case .free, .arena: break
      }
    }
    return count
  }
}
