/// Where the figures of a process's heap lie: the words of its table that a reading needs.
struct HeapPlaces {
  /// No process has more thread heaps: a longer list runs in a circle.
  static let heapMaximum = 1 << 16

  // The space.
  let base, table, chunkTable, firstGranule: UInt64
  let granuleCount, leastChunkShift, mostChunkShift: UInt64
  let committedEnd, quota, purged, commits, spaceRegrets, arenas: UInt64
  let arenaCount, arenaExtent, arenaCounted, arenaRegrets: Int

  // Descriptors of granules.
  let granuleByteCount, recordByteCount, pageByteCount: Int
  let resident, use, classNumber, pending, target, remote, carved, absent: Int
  let first, second, startPages: Int
  let remoteShift, remoteMask, sizeShift, batchShift: UInt64
  let arenaUse, metadataUse: UInt8
  let spanUses: [UInt8]

  // Thread heaps.
  let active, current, magazineLimits, magazineRooms, cached, batches, older, slowPaths, heapRegrets: Int
  let batchCount, batchStride, firstMagazine: Int
  let mark: UInt64

  // The process.
  let newestHeap, sharedHeap, mappedCount, mapped, kept, refused: UInt64
  let classCount: Int
  let classSizes: UInt64

  init(_ words: TelemetryWords) throws(TelemetryError) {
    (base, table, chunkTable) = (try words["space.base"], try words["space.table"], try words["space.chunk_table"])
    (firstGranule, granuleCount) = (try words["space.first_granule"], try words["space.granule_count"])
    (leastChunkShift, mostChunkShift) = (
      try words.shift("space.chunk_shift_least"), try words.shift("space.chunk_shift_most")
    )
    (committedEnd, quota) = (try words["space.committed_end@"], try words["space.quota@"])
    (purged, commits) = (try words["space.purged@"], try words["space.commits@"])
    (spaceRegrets, arenas) = (try words["space.regrets@"], try words["space.arenas@"])
    (arenaCount, arenaExtent) = (try words.number("space.arena_count"), try words.number("arena.extent+"))
    (arenaCounted, arenaRegrets) = (try words.number("arena.counted+"), try words.number("arena.regrets+"))

    (granuleByteCount, recordByteCount) = (try words.number("granule.bytes"), try words.number("granule.record_bytes"))
    pageByteCount = try words.number("granule.page_bytes")
    (resident, use) = (try words.number("granule.resident+"), try words.number("granule.use+"))
    (classNumber, pending) = (try words.number("span.class+"), try words.number("span.pending+"))
    (target, remote) = (try words.number("span.target+"), try words.number("span.remote+"))
    (carved, absent) = (try words.number("span.carved+"), try words.number("span.absent+"))
    (first, second) = (try words.number("part.first+"), try words.number("part.second+"))
    startPages = try words.number("part.start_pages+")
    (remoteShift, remoteMask) = (
      try words.shift("span.remote_shift"), try words.word("span.remote_mask", below: 1 << 16)
    )
    (sizeShift, batchShift) = (try words.shift("part.size_shift"), try words.shift("batch.count_shift"))
    arenaUse = UInt8(truncatingIfNeeded: try words["use.arena"])
    metadataUse = UInt8(truncatingIfNeeded: try words["use.metadata"])
    spanUses = [
      UInt8(truncatingIfNeeded: try words["use.full_span"]), UInt8(truncatingIfNeeded: try words["use.current_span"]),
      UInt8(truncatingIfNeeded: try words["use.available_span"]),
    ]

    (active, current) = (try words.number("heap.active+"), try words.number("heap.current+"))
    magazineLimits = try words.number("heap.magazine_limits+")
    magazineRooms = try words.number("heap.magazine_rooms+")
    (cached, batches) = (try words.number("heap.cached+"), try words.number("heap.batches+"))
    (older, slowPaths) = (try words.number("heap.older+"), try words.number("heap.slow_paths+"))
    heapRegrets = try words.number("heap.regrets+")
    (batchCount, batchStride) = (try words.number("batch.count"), try words.number("batch.stride"))
    (firstMagazine, mark) = (try words.number("class.first_magazine"), try words.word("block.mark"))

    (newestHeap, sharedHeap) = (try words["process.newest_heap@"], try words["process.shared_heap@"])
    (mappedCount, mapped) = (try words["process.mapped_count@"], try words["process.mapped@"])
    (kept, refused) = (try words["process.kept@"], try words["process.refused@"])
    (classCount, classSizes) = (try words.number("class.count"), try words["class.sizes"])
  }
}

// The row of chunks (HeapSpace+Chunks.swift).
extension HeapPlaces {
  /// The first granule of the chunk around granule `number`.
  func chunkStart(around number: UInt64) -> UInt64 {
    if number >> leastChunkShift == 0 { return 0 }
    let shift = min(UInt64(63 - number.leadingZeroBitCount), mostChunkShift)
    return (number >> shift) << shift
  }

  /// The granule behind it.
  func chunkEnd(around number: UInt64) -> UInt64 {
    let start = chunkStart(around: number)
    return min(start + min(max(start, 1 << leastChunkShift), 1 << mostChunkShift), granuleCount)
  }
}
