internal import HeapBlocks
internal import Synchronization

// Where a space's figures lie, for a reader outside of the process (heaplab_telemetry.h). Each place is taken from the
// field itself, so no name can point beside it.

extension HeapSpace {
  /// Names the words that a reader needs: constants, addresses of figures, and offsets in records.
  package func describe(_ add: (StaticString, UInt) -> Void) {
    add("space.base", fields.base)
    add("space.table", fields.table)
    add("space.chunk_table", fields.chunkTable)
    add("space.first_granule", fields.firstGranule)
    add("space.granule_count", fields.granuleCount)
    add("space.chunk_shift_least", HeapSpace.smallestChunkShift)
    add("space.chunk_shift_most", HeapSpace.largestChunkShift)
    add("space.arena_count", UInt(HeapSpace.arenaCount))
    // SAFETY: here and below, only addresses are taken; nothing is read or written through the pointers.
    unsafe withUnsafePointer(to: fields.committedEnd) { add("space.committed_end@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.quotaByteCount) { add("space.quota@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.returnedByteCount) { add("space.purged@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.commitCount) { add("space.commits@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.decay.regretCount) { add("space.regrets@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.arenas) { add("space.arenas@", UInt(bitPattern: $0)) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.samples) { add("samples.table@", UInt(bitPattern: $0)) }
    SampleTable(address: fields.base).describe(add)
    Arena(address: fields.base).describe(add)
    granule(0).describe(add)
    BlockSpan(address: fields.table).describe(add)
    ArenaPart(address: fields.table).describe(add)
  }
}

// Figures that only telemetry asks for.
extension HeapSpace {
  /// How often granules were committed.
  package var commitCount: UInt { fields.commitCount.load(ordering: .relaxed) }

  /// How many purges of free granules were undone soon.
  package var regretCount: UInt32 { withAtomic(&fields.decay.regretCount) { $0.load(ordering: .relaxed) } }
}

extension Arena {
  fileprivate func describe(_ add: (StaticString, UInt) -> Void) {
    // SAFETY: only addresses are taken, as above.
    unsafe withUnsafePointer(to: &fields.byteCount) { add("arena.extent+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.countedByteCount) { add("arena.counted+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.decay.regretCount) { add("arena.regrets+", UInt(bitPattern: $0) - address) }
  }
}

extension Granule {
  fileprivate func describe(_ add: (StaticString, UInt) -> Void) {
    add("granule.bytes", Granule.byteCount)
    add("granule.record_bytes", Granule.recordByteCount)
    add("granule.page_bytes", Granule.pageByteCount)
    // SAFETY: only addresses are taken, as above.
    unsafe withUnsafePointer(to: &fields.residentPages) { add("granule.resident+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.use) { add("granule.use+", UInt(bitPattern: $0) - address) }
    add("use.free", UInt(GranuleUse.free.rawValue))
    add("use.reserved", UInt(GranuleUse.reserved.rawValue))
    add("use.full_span", UInt(GranuleUse.fullSpan.rawValue))
    add("use.current_span", UInt(GranuleUse.currentSpan.rawValue))
    add("use.available_span", UInt(GranuleUse.availableSpan.rawValue))
    add("use.arena", UInt(GranuleUse.arena.rawValue))
    add("use.metadata", UInt(GranuleUse.metadata.rawValue))
  }
}

extension BlockSpan {
  fileprivate func describe(_ add: (StaticString, UInt) -> Void) {
    // SAFETY: only addresses are taken, as above.
    unsafe withUnsafePointer(to: &fields.classNumber) { add("span.class+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.pending) { add("span.pending+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.target) { add("span.target+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.remote) { add("span.remote+", UInt(bitPattern: $0) - address) }
    add("span.remote_shift", RemoteList.countShift)
    add("span.remote_mask", RemoteList.countMask)
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.carvedCount) { add("span.carved+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.absentPages) { add("span.absent+", UInt(bitPattern: $0) - address) }
  }
}

extension ArenaPart {
  fileprivate func describe(_ add: (StaticString, UInt) -> Void) {
    add("part.size_shift", ArenaEntry.byteCountShift)
    // SAFETY: only addresses are taken, as above.
    unsafe withUnsafePointer(to: fields.first) { add("part.first+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.second) { add("part.second+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.startPages) { add("part.start_pages+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.startSteps) { add("part.start_steps+", UInt(bitPattern: $0) - address) }
  }
}

extension SampleTable {
  fileprivate func describe(_ add: (StaticString, UInt) -> Void) {
    add("samples.maximum", SampleTable.recordMaximum)
    add("samples.records+", SampleTable.recordsOffset)
    add("samples.stride", SampleTable.recordStride)
    add("samples.stacks+", SampleTable.stacksOffset)
    add("samples.stack_bytes", SampleTable.stackByteCount)
    // SAFETY: here and below, only addresses are taken, as above.
    unsafe withUnsafePointer(to: &fields.mean) { add("samples.mean+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.takenCount) { add("samples.taken+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.endedCount) { add("samples.ended+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.droppedCount) { add("samples.dropped+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.end) { add("samples.end+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.windowMilliseconds) {
      add("samples.window+", UInt(bitPattern: $0) - address)
    }
    sample(0).describe(add)
  }
}

extension Sample {
  fileprivate func describe(_ add: (StaticString, UInt) -> Void) {
    // SAFETY: only addresses are taken, as above.
    unsafe withUnsafePointer(to: &fields.address) { add("sample.address+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.byteCount) { add("sample.bytes+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.milliseconds) { add("sample.time+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.programCounter) { add("sample.pc+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.stackPointer) { add("sample.sp+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.framePointer) { add("sample.fp+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.stackByteCount) { add("sample.stack+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.thread) { add("sample.thread+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.isLive) { add("sample.live+", UInt(bitPattern: $0) - address) }
  }
}
