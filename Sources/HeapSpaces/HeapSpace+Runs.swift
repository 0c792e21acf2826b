internal import Addresses
internal import BuddyFrames
internal import MemoryRegions

// Runs of granules from the buddies of the chunks, with the space's lock held.

extension HeapSpace {
  /// Takes the lowest free run of an order on a node, and commits it. Returns its first granule, nil when there is none.
  /// - Complexity: O(c) for c chunks that had a free run of the order once and have none now; usually O(1).
  func takeRun(_ order: FrameOrder, onNode node: UInt) -> UInt? {
    while let (number, head) = fields.nodeCount == 1
      ? takeUncommittedRun(order) : takeUncommittedRun(order, onNode: node)
    {
      let outcome = commitRest(of: head, upTo: number + UInt(order.frameCount))
      if outcome == .done { return number }
      giveBack(number, order: order)
      guard outcome == .occupied else { return nil }
      closeChunk(headAt: head)
    }
    return nil
  }

  /// Takes the granules from `first` to `end`, which lie in one chunk, if they are free, and commits them. Returns
  /// whether that succeeded.
  func takeRun(from first: UInt, to end: UInt) -> Bool {
    let head = head(around: first)
    let granules = HeapSpace.frames(from: first, to: end)
    guard chunk(headAt: head).frames.allocate(at: granules) else { return false }
    let outcome = commitRest(of: head, upTo: end)
    if outcome == .done { return true }
    giveBack(granules, toChunkWithHeadAt: head)
    if outcome == .occupied { closeChunk(headAt: head) }
    return false
  }

  /// Frees a run that was taken with this order.
  func giveBack(_ first: UInt, order: FrameOrder) {
    let head = head(around: first)
    chunk(headAt: head).frames.deallocate(HeapSpace.frame(first), order: order)
    noteFree(head)
  }

  /// Frees granules of one chunk, whatever runs they were taken in.
  func giveBack(_ granules: AddrRange<PhysAddr>, toChunkWithHeadAt head: UInt) {
    chunk(headAt: head).frames.deallocate(granules)
    noteFree(head)
  }

  private func noteFree(_ head: UInt) {
    for order in fields.lowestHeads.indices where fields.lowestHeads[order] > head { fields.lowestHeads[order] = head }
  }

  /// Whether the chunk around granule `head` has begun there.
  func isBegun(_ head: UInt) -> Bool { committedEnd(ofChunkAround: head) > head }

  /// Takes the lowest free run of an order. Returns its first granule, and the head of its chunk.
  private func takeUncommittedRun(_ order: FrameOrder) -> (number: UInt, head: UInt)? {
    let index = Int(order.rawValue)
    repeat {
      var head = fields.lowestHeads[index]
      while head < fields.chunksEnd {
        fields.lowestHeads[index] = head
        if isBegun(head), let number = takeFrame(order, ofChunkWithHeadAt: head) { return (number, head) }
        head = chunkEnd(around: head)
      }
      fields.lowestHeads[index] = head
    } while beginChunk(for: order)
    return nil
  }

  /// Takes the lowest free run of an order in a chunk. Returns its first granule.
  func takeFrame(_ order: FrameOrder, ofChunkWithHeadAt head: UInt) -> UInt? {
    chunk(headAt: head).frames.allocate(order).map { UInt($0.raw / FrameOrder.min.byteCount) }
  }

  /// Ensures that a chunk is committed up to granule `end`.
  private func commitRest(of head: UInt, upTo end: UInt) -> HeapReservation.Outcome {
    let committedEnd = committedEnd(ofChunkAround: head)
    return end <= committedEnd ? .done : commit(from: committedEnd, atLeastTo: end)
  }

  /// Ends a chunk where its committed part ends, because another mapping lies there.
  func closeChunk(headAt head: UInt) {
    chunk(headAt: head).frames.reserve(
      HeapSpace.frames(from: committedEnd(ofChunkAround: head), to: chunkEnd(around: head)))
  }
}

// Beginning chunks.
extension HeapSpace {
  /// Begins the next chunk in whose place nothing else is mapped. Returns false at the end of the space, when memory is
  /// lacking, and when the chunk would be too short for a run of the order.
  func beginChunk(for order: FrameOrder) -> Bool {
    while fields.chunksEnd < fields.granuleCount {
      let head = fields.chunksEnd
      let (start, end) = (chunkStart(around: head), chunkEnd(around: head))
      // The run starts at a multiple of its length, and not where the head is.
      guard UInt(order.frameCount) <= (end - start) / 2 else { return false }
      let headCount = HeapSpace.granuleCount(for: HeapSpace.headByteCount(head, end: end))
      var outcome = HeapReservation.Outcome.occupied
      if head + headCount < end {
        outcome = commitDescriptors(from: head, to: end)
        if outcome == .done { outcome = commit(from: head, atLeastTo: head + headCount) }
      }
      switch outcome {
      case .done:
        writeHead(head, granuleCount: headCount, end: end)
        return true
      case .refused: return false
      case .occupied: fields.chunksEnd = end
      }
    }
    return false
  }

  /// Makes a chunk of committed granules: its head at `head`, of `granuleCount` granules, and those behind it to `end`.
  func writeHead(_ head: UInt, granuleCount: UInt, end: UInt) {
    let chunk = chunk(headAt: head)
    let table = VirtAddr(chunk.address + HeapChunk.recordByteCount)
    let granules = HeapSpace.frames(from: head + granuleCount, to: end)
    // SAFETY: the record lies in the head, is aligned to 64 bytes and committed, and nothing else uses its memory.
    unsafe UnsafeMutablePointer<BuddyFrames>(bitPattern: chunk.address).unsafelyUnwrapped.initialize(
      to: BuddyFrames(
        over: granules, tableIn: AddrRange(start: table, byteCount: BuddyFrames.tableByteCount(for: granules)),
        holding: .zeros))
    for number in head..<head + granuleCount { granule(UInt32(truncatingIfNeeded: number)).use = .metadata }
    if head != 0 { fields.usedByteCount += granuleCount * Granule.byteCount }
    fields.chunksEnd = end
  }

  /// Commits the descriptors of a chunk. Those of chunks that were skipped become readable: a free on the hot path reads
  /// the descriptor for any pointer below `committedEnd`.
  private func commitDescriptors(from head: UInt, to end: UInt) -> HeapReservation.Outcome {
    let start = SystemPages.roundedDown(fields.table + head * Granule.recordByteCount)
    if fields.tableEnd < start {
      let skipped = commit(fields.tableEnd, byteCount: start - fields.tableEnd, isWritable: false)
      if skipped == .refused { return .refused }
      fields.tableEnd = start
    }
    let tableEnd = SystemPages.rounded(fields.table + end * Granule.recordByteCount)
    guard fields.tableEnd < tableEnd else { return .done }
    let outcome = commit(fields.tableEnd, byteCount: tableEnd - fields.tableEnd)
    if outcome == .done {
      _ = fields.hooks.didMap(fields.tableEnd, tableEnd - fields.tableEnd, SpaceHooks.noNode)
      fields.tableEnd = tableEnd
    }
    return outcome
  }

  /// How many granules hold `byteCount` bytes.
  static func granuleCount(for byteCount: UInt) -> UInt { (byteCount + Granule.byteCount - 1) / Granule.byteCount }
}
