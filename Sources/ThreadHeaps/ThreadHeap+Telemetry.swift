internal import HeapBlocks
internal import Synchronization

// Where a thread heap's figures lie, for a reader outside of the process (heaplab_telemetry.h).

extension ThreadHeap {
  /// How many of the heap's purges were undone soon.
  package var regretCount: UInt32 { withAtomic(&fields.decay.regretCount) { $0.load(ordering: .relaxed) } }

  /// Names the words that a reader needs: constants, and offsets in the record of any thread heap.
  package func describe(_ add: (StaticString, UInt) -> Void) {
    add("class.count", UInt(SizeClass.count))
    add("class.first_magazine", UInt(SizeClass.firstWithMagazine))
    add("block.mark", UInt(bitPattern: FreeBlock.mark))
    add("batch.count", UInt(OutgoingBatch.count))
    add("batch.count_shift", OutgoingBatch.countShift)
    add("batch.stride", UInt(MemoryLayout<OutgoingBatch>.stride))
    // SAFETY: here and below, only addresses are taken; nothing is read or written through the pointers.
    unsafe withUnsafePointer(to: &fields.active) { add("heap.active+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.current) { add("heap.current+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.magazineLimits) {
      add("heap.magazine_limits+", UInt(bitPattern: $0) - address)
    }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.magazineRooms) { add("heap.magazine_rooms+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.cacheByteCount) { add("heap.cached+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.outgoing) { add("heap.batches+", UInt(bitPattern: $0) - address) }
    // SAFETY: as above.
    unsafe withUnsafePointer(to: &fields.decay.regretCount) { add("heap.regrets+", UInt(bitPattern: $0) - address) }
  }
}
