internal import Addresses
internal import BuddyFrames
internal import Synchronization

// Fixed memory: granules whose memory never goes back to the system, since they are pinned or on explicit huge pages. The
// fixed granules of a chunk are its first ones. A purge leaves them out: it makes no system call for them, and none at all
// while all granules are fixed.
//
// A space can be provisioned, that is, committed ahead of its use, and sealed, after which it never commits again. First
// come, first served holds by itself: the buddies allocate the lowest granules.

extension HeapSpace {
  /// Whether all granules are fixed.
  package var isWhollyFixed: Bool { fields.isWhollyFixed.load(ordering: .relaxed) }

  /// The bytes of all fixed granules.
  package var fixedByteCount: UInt { fields.fixedGranuleCount.load(ordering: .relaxed) * Granule.byteCount }

  /// Whether the space commits no more.
  package var isSealed: Bool { fields.isSealed.load(ordering: .relaxed) }

  /// Makes the space commit no more.
  package func seal() { fields.isSealed.store(true, ordering: .relaxed) }

  /// Lets the space commit again, in a child of fork.
  package func unseal() { fields.isSealed.store(false, ordering: .relaxed) }

  /// Whether the fixed granules that nobody holds have so many bytes, in whatever runs.
  package func hasFixedRoom(for byteCount: UInt) -> Bool {
    guard fixedByteCount != 0, lock() else { return false }
    defer { unlock() }
    let held = fields.heldGranuleCount * Granule.byteCount
    return held < fixedByteCount && byteCount <= fixedByteCount - held
  }

  /// Commits granules until `byteCount` bytes of them are committed, the same number for each node, or no more can be.
  /// Returns how many are.
  package func provision(byteCount: UInt) -> UInt {
    guard lock() else { return 0 }
    defer { unlock() }
    let share = Granule.byteCount * fields.nodeCount
    let wanted = (byteCount + share - 1) / share
    var count: UInt = 0
    for node in 0..<fields.nodeCount { count += provision(granuleCount: wanted, onNode: node) }
    return count * Granule.byteCount
  }

  private func provision(granuleCount wanted: UInt, onNode node: UInt) -> UInt {
    var count: UInt = 0
    var head = fields.buddyFirstGranule
    while count < wanted {
      if head >= fields.chunksEnd {
        guard beginChunk(for: .min) else { break }
        head = chunkStart(around: fields.chunksEnd - 1)
      }
      if self.node(around: head) == node, isBegun(head) {
        let isRefused = commitRest(ofChunkWithHeadAt: head, atMost: wanted - count) == .refused
        count += committedEnd(ofChunkAround: head) - head
        // Further chunks would be refused as well, after they had begun.
        if isRefused { break }
      }
      head = chunkEnd(around: head)
    }
    return count
  }

  /// Commits more of a chunk until `granuleCount` of its granules are committed.
  private func commitRest(ofChunkWithHeadAt head: UInt, atMost granuleCount: UInt) -> HeapReservation.Outcome {
    let first = committedEnd(ofChunkAround: head)
    let end = min(chunkEnd(around: head), roundedToUnit(head + granuleCount))
    guard first < end else { return .done }
    let outcome = commit(from: first, to: end)
    if outcome == .occupied { closeChunk(headAt: head) }
    return outcome
  }

  /// Tells the owner about granules that were just committed, with the lock held.
  func noteMapped(from first: UInt, to end: UInt) {
    let isFixed = fields.hooks.didMap(
      fields.base + first * Granule.byteCount, (end - first) * Granule.byteCount, node(around: first))
    noteMapped(from: first, to: end, isFixed: isFixed)
  }

  /// Notes whether granules that were just committed are fixed, with the lock held.
  func noteMapped(from first: UInt, to end: UInt, isFixed: Bool) {
    // Behind granules that are not fixed none counts as fixed.
    let isPrefix = first == head(around: first) || first == fixedEnd(ofChunkAround: first)
    if isFixed, isPrefix {
      setFixedEnd(end, ofChunkAround: first)
      fields.fixedGranuleCount.wrappingAdd(end - first, ordering: .relaxed)
      if committedEnd == 0 { fields.isWhollyFixed.store(true, ordering: .relaxed) }
    } else {
      fields.isWhollyFixed.store(false, ordering: .relaxed)
    }
  }

  /// Visits the addresses and lengths of the fixed parts of the chunks.
  package func forEachFixedRange(_ body: (UInt, UInt) -> Void) {
    if fixedByteCount != 0 { forEachChunkPart({ fixedEnd(ofChunkAround: $0) }, body) }
  }

  /// Visits the addresses and lengths of the committed parts of the chunks.
  package func forEachCommittedRange(_ body: (UInt, UInt) -> Void) {
    forEachChunkPart({ committedEnd(ofChunkAround: $0) }, body)
  }

  /// Visits the first parts of the chunks, each up to the granule that `end` has for the chunk's head.
  private func forEachChunkPart(_ end: (UInt) -> UInt, _ body: (UInt, UInt) -> Void) {
    var number: UInt = 0
    while number < committedEnd {
      let end = end(number)
      if end > number { body(fields.base + number * Granule.byteCount, (end - number) * Granule.byteCount) }
      number = chunkEnd(around: number)
    }
  }

  /// The first address from `start` on that is not in the fixed part of the chunk around `start`.
  func unfixedStart(from start: UInt) -> UInt {
    guard fixedByteCount != 0 else { return start }
    let end = fixedEnd(ofChunkAround: (start - fields.base) / Granule.byteCount)
    return max(start, fields.base + end * Granule.byteCount)
  }
}
