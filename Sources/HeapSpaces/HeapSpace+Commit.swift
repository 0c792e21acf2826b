internal import MemoryRegions

// Committing granules and their descriptors, in steps.

extension HeapSpace {
  /// The smallest step in granules: 4 MiB. A large space commits a sixteenth of its committed granules at once.
  private static var stepGranuleCount: UInt { 64 }

  /// The page on which the space's record starts: the granule table ends there.
  var recordPage: UInt { address & ~(SystemPages.byteCount - 1) }

  /// Commits granules and their descriptors, at least up to `end`, with the space's lock held. Returns whether it
  /// succeeded.
  func commit(upTo end: UInt) -> Bool {
    let first = committedEnd
    let step = max(HeapSpace.stepGranuleCount, first / 16)
    return commit(from: first, to: min(max(end, first + step), fields.granuleCount))
      || commit(from: first, to: end)
  }

  private func commit(from first: UInt, to end: UInt) -> Bool {
    // The descriptors, in whole pages. The first step includes those of the table's own granules, since frees read them
    // too.
    let tableEnd = min(SystemPages.rounded(fields.base + end * Granule.recordByteCount), recordPage)
    if fields.tableEnd < tableEnd {
      guard commit(fields.tableEnd, byteCount: tableEnd - fields.tableEnd) else { return false }
      fields.tableEnd = tableEnd
    }
    let start = fields.base + first * Granule.byteCount
    guard commit(start, byteCount: (end - first) * Granule.byteCount) else { return false }
    committedEnd = end
    fields.hooks.didCommit(end)
    return true
  }

  private func commit(_ address: UInt, byteCount: UInt) -> Bool {
    fields.reservation?.commit(address, byteCount: byteCount) ?? false
  }
}
