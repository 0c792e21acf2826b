internal import Synchronization

// Committing the granules of a chunk, in steps.

extension HeapSpace {
  /// The smallest and the largest step in granules: 4 MiB and 1 GiB. In between, a space commits a sixteenth of its
  /// granules at once.
  private static var stepMinimum: UInt { 64 }
  private static var stepMaximum: UInt { 1 << 14 }

  /// Commits granules from number `first` on, where the committed part of a chunk ends, at least up to `end`, which is
  /// not beyond the chunk; with the space's lock held. Their descriptors are committed already.
  func commit(from first: UInt, atLeastTo end: UInt) -> HeapReservation.Outcome {
    // Where nodes share the space, each grows by itself.
    let sixteenth = fields.nodeCount == 1 ? committedEnd / 16 : (first - chunkStart(around: first)) / 16
    let step = min(max(HeapSpace.stepMinimum, sixteenth), HeapSpace.stepMaximum)
    let most = min(roundedToUnit(max(end, first + step)), chunkEnd(around: first))
    // Where the step fails, the least may succeed.
    let outcome = commit(from: first, to: most)
    return outcome == .done || most == end ? outcome : commit(from: first, to: end)
  }

  /// A granule's number rounded up to where a committed part may end.
  func roundedToUnit(_ number: UInt) -> UInt {
    (number + fields.commitUnit - 1) / fields.commitUnit * fields.commitUnit
  }

  func commit(from first: UInt, to end: UInt) -> HeapReservation.Outcome {
    let start = fields.base + first * Granule.byteCount
    let outcome = commit(start, byteCount: (end - first) * Granule.byteCount)
    guard outcome == .done else { return outcome }
    fields.commitCount.wrappingAdd(1, ordering: .relaxed)
    noteMapped(from: first, to: end)
    setCommittedEnd(end, ofChunkAround: first)
    if end > committedEnd { committedEnd = end }
    fields.hooks.didCommit(committedEnd)
    return .done
  }

  func commit(_ address: UInt, byteCount: UInt, isWritable: Bool = true) -> HeapReservation.Outcome {
    if fields.isSealed.load(ordering: .relaxed) { return .refused }
    return fields.reservation?.commit(address, byteCount: byteCount, isWritable: isWritable) ?? .refused
  }
}
