public import CLabMalloc
internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization
internal import ThreadHeaps

// How much the process heap holds. It is counted when someone asks: the hot paths count nothing. Other threads go on
// meanwhile, and the figures do not belong to one instant.

extension ProcessHeap {
  /// How much the heap holds. Fields that do not apply under the policy are 0.
  /// - Complexity: O(n) in the granules that were ever used.
  public static var statistics: heaplab_statistics {
    var statistics = heaplab_statistics()
    let state = ProcessState()
    if let textbook = TextbookHeap.current {
      let (committed, used) = textbook.heldByteCounts
      statistics.committed_byte_count = Int(committed)
      statistics.live_byte_count = Int(used)
      statistics.free_byte_count = Int(committed - used)
      return statistics
    }
    guard state.space != 0 else { return statistics }
    let space = processSpace
    var live: UInt = 0
    var spans: UInt = 0
    var committed: UInt = 0
    space.forEachGranule { number in
      committed += Granule.byteCount
      let granule = space.granule(number)
      if granule.use.isSpan {
        live += liveByteCount(of: granule.span)
        spans += 1
      }
    }
    // As the caches count them.
    live += space.arenaCountedByteCount
    live -= min(live, listedByteCount)
    committed += MappedBlocks.keptByteCount
    statistics.committed_byte_count = Int(committed)
    statistics.free_byte_count = Int(committed - min(live, committed))
    let mapped = state.fields.mappedByteCount.load(ordering: .relaxed)
    statistics.mapped_byte_count = Int(mapped)
    statistics.mapped_count = Int(state.fields.mappedLiveCount.load(ordering: .relaxed))
    statistics.live_byte_count = Int(live + mapped)
    statistics.span_count = Int(spans)
    statistics.arena_byte_count = Int(space.arenaExtentByteCount)
    statistics.pinned_byte_count = Int(Placement.pinnedByteCount)
    statistics.huge_byte_count = Int(Placement.hugeByteCount)
    forEachHeap { _ in statistics.heap_count += 1 }
    return statistics
  }

  /// The bytes of a span's blocks that its owner does not count as free.
  private static func liveByteCount(of span: BlockSpan) -> UInt {
    let remote = RemoteList(word: span.fields.remote.load(ordering: .relaxed)).count
    let free = UInt(max(0, span.freeCount)) + remote
    let carved = UInt(span.carvedCount)
    return (carved - min(free, carved)) * span.glimpsedSizeClass.blockByteCount
  }

  /// The bytes of free blocks that spans and arenas count as live: those to allocate next, those in thread caches, and
  /// those in batches. Exact while no other thread allocates or frees.
  private static var listedByteCount: UInt {
    var byteCount: UInt = 0
    forEachHeap { byteCount += $0.listedByteCount }
    return byteCount
  }

  /// Writes the statistics to standard error, in one line.
  public static func report() {
    var now = statistics
    let hasSpace = ProcessState().space != 0
    let transparent = hasSpace ? Placement.transparentByteCount(of: processSpace) : 0
    // SAFETY: C reads the struct and keeps no pointer to it.
    unsafe lab_malloc_report(&now, transparent)
  }
}
