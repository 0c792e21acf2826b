public import CLabMalloc
internal import Synchronization

// What the process heap holds, counted when someone asks: the hot paths count nothing. Other threads go on meanwhile,
// so the figures are those of no one instant.

/// Fills `statistics` for the entries that tell about the heap.
@c(lab_heap_statistics)
public func fillStatistics(_ statistics: UnsafeMutablePointer<heaplab_statistics>?) {
  // SAFETY: C passes the address of a struct of its own.
  guard let statistics = unsafe statistics else { return }
  unsafe statistics.pointee = ProcessHeap.statistics
}

extension ProcessHeap {
  static var statistics: heaplab_statistics {
    var statistics = heaplab_statistics()
    let state = ProcessState()
    if let textbook = TextbookHeap.current {
      let committed = textbook.fields.committedEnd - textbook.fields.policyStart
      let used = min(textbook.fields.usedByteCount, committed)
      statistics.committed_byte_count = Int(committed)
      statistics.live_byte_count = Int(used)
      statistics.free_byte_count = Int(committed - used)
      return statistics
    }
    guard state.space != 0 else { return statistics }
    let space = processSpace
    var live: UInt = 0
    var spans: UInt = 0
    for granule in space.fields.firstGranule..<space.committedEnd {
      let span = space.span(UInt32(truncatingIfNeeded: granule))
      if span.kind == .span, span.fields.owner != 0 {
        let remote = RemoteList(word: span.fields.remote.load(ordering: .relaxed)).count
        let free = UInt(max(0, span.freeCount)) + remote
        let carved = UInt(span.carvedCount)
        live += (carved - min(free, carved)) * UInt(span.fields.blockByteCount)
        spans += 1
      } else if span.kind == .arena {
        // With their headers, as the caches count them.
        live += ArenaEntry(at: span.firstEntrySlot).blockByteCount + ArenaEntry(at: span.secondEntrySlot).blockByteCount
      }
    }
    live -= min(live, listedByteCount)
    let committed = (space.committedEnd - space.fields.firstGranule) * Span.byteCount
    statistics.committed_byte_count = Int(committed)
    statistics.free_byte_count = Int(committed - min(live, committed))
    let mapped = state.fields.mappedByteCount
    statistics.mapped_byte_count = Int(mapped)
    statistics.mapped_count = Int(state.fields.mappedLiveCount)
    statistics.live_byte_count = Int(live + mapped)
    statistics.span_count = Int(spans)
    statistics.arena_byte_count = Int(space.fields.arenaByteCount)
    forEachHeap { _ in statistics.heap_count += 1 }
    return statistics
  }

  /// The bytes of blocks that nobody holds but spans count as live: on the lists that threads allocate from next, in
  /// their caches, and on their way home. Exact as long as no other thread allocates or frees.
  private static var listedByteCount: UInt {
    var byteCount: UInt = 0
    forEachHeap { heap in
      for index in 0..<SizeClass.count {
        byteCount += listedCount(index, of: heap) * SizeClass(index: index).blockByteCount
      }
      for index in 0..<OutgoingBatch.count where heap.fields.outgoing[index].blockCount != 0 {
        let batch = heap.fields.outgoing[index]
        byteCount += UInt(batch.blockCount) * UInt(processSpace.span(batch.granule).fields.blockByteCount)
      }
      byteCount += heap.cacheByteCount
    }
    return byteCount
  }

  /// How many blocks of a class a heap has to hand out next. A stack may have some without a current span.
  private static func listedCount(_ index: Int, of heap: ThreadHeap) -> UInt {
    if heap.hasStack(index) { return heap.stackedCount(index) }
    let current = heap.fields.current[index]
    return current == 0 ? 0 : heap.activeCount(index, in: processSpace.span(current))
  }

  /// Visits the threads' heaps and the one that young threads share.
  static func forEachHeap(_ body: (ThreadHeap) -> Void) {
    let shared = ProcessState().sharedHeap
    if shared != 0 { body(ThreadHeap(address: shared)) }
    var address = ProcessState().newestHeap
    while address != 0 {
      let heap = ThreadHeap(address: address)
      body(heap)
      address = heap.fields.olderHeap
    }
  }
}
