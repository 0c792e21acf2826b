internal import AllocationTraces
internal import CLabRecord

// A thread's ring, and its copies in the file: see RawRecord. An ended thread leaves its ring to the next new one.

/// The chunk that a thread fills.
enum RecordedChunk {
  typealias Slot = Recorder.Slot

  /// Where a parked ring holds its thread's cursor.
  private static var cursorOffset: UInt { 40 }
  /// A ring with less room is emptied before it is parked.
  private static var parkedRoomMin: UInt { 1024 }

  /// An owner's word has no more numbers.
  private static var ringCountMax: UInt { 1 << (64 - UInt(LAB_RECORD_OWNER_SHIFT)) - 1 }

  /// Gives the thread room for records; false when there is none, and the recording has stopped.
  @inline(never) static func open(for slot: Slot) -> Bool {
    lab_record_block()
    defer { lab_record_unblock() }
    guard !RecordedProcess.isToStop else {
      RecordedProcess.stop(0)
      return false
    }
    // SAFETY: the slot is this thread's own. Below a handler the interrupted record may still go to the ring, which is
    // then left as it is.
    if unsafe slot.pointee.chunk != 0, unsafe slot.pointee.depth <= 1 { return unsafe empty(slot) }
    unsafe slot.pointee.chunk = 0
    if unsafe slot.pointee.number == 0 {
      unsafe slot.pointee.number = lab_record_add(RecordedProcess.Word.threadCount.address, 1) + 1
    }
    // SAFETY: as above.
    return unsafe adopt(slot) || map(slot)
  }

  /// Writes a copy of the full ring and empties it.
  private static func empty(_ slot: Slot) -> Bool {
    // SAFETY: the slot is this thread's own, as also below.
    let ring = unsafe slot.pointee.chunk
    let offset = lab_record_add(RecordedProcess.Word.fileEnd.address, RawFile.chunkByteCount)
    let code = lab_record_write(offset, ring, RawFile.chunkByteCount)
    guard code == 0 else {
      RecordedProcess.stop(code)
      return false
    }
    lab_record_set(ring, 0)
    lab_record_zero(ring + RawFile.recordsOffset, RawFile.chunkByteCount - RawFile.recordsOffset)
    let sequence = lab_record_load(ring + RawFile.chunkSequenceOffset) + 1
    // SAFETY: as above.
    unsafe begin(ring, at: lab_record_load(ring + RawFile.chunkRingOffset), sequence, slot)
    return true
  }

  private static func map(_ slot: Slot) -> Bool {
    let offset = lab_record_add(RecordedProcess.Word.fileEnd.address, RawFile.chunkByteCount)
    var ring: UInt = 0
    // SAFETY: the out-parameter is this function's own.
    let code = unsafe lab_record_map(offset, RawFile.chunkByteCount, &ring)
    guard code == 0 else {
      RecordedProcess.stop(code)
      return false
    }
    let number = lab_record_add(RecordedProcess.Word.ringCount.address, 1)
    guard number < ringCountMax else {
      RecordedProcess.stop(EOVERFLOW)
      return false
    }
    lab_record_set(ring + RawFile.chunkNumberOffset, UInt64(number))
    // SAFETY: the slot is this thread's own.
    unsafe begin(ring, at: offset, 0, slot)
    return true
  }

  /// Writes the header of an empty ring and makes it the thread's own.
  private static func begin(_ ring: UInt, at offset: UInt, _ sequence: UInt, _ slot: Slot) {
    lab_record_set(ring + RawFile.chunkRingOffset, UInt64(offset))
    lab_record_set(ring + RawFile.chunkSequenceOffset, UInt64(sequence))
    lab_record_set(ring + RawFile.chunkTicksOffset, lab_record_ticks())
    // SAFETY: the slot is this thread's own.
    lab_record_set(ring + RawFile.chunkThreadOffset, UInt64(unsafe slot.pointee.number - 1))
    lab_record_set(ring, RawFile.chunkMagic)
    unsafe use(ring, from: RawFile.recordsOffset, slot)
  }

  private static func use(_ ring: UInt, from cursor: UInt, _ slot: Slot) {
    // SAFETY: the slot is this thread's own.
    let isNew = unsafe slot.pointee.chunk != ring
    unsafe slot.pointee.chunk = ring
    unsafe slot.pointee.base = UInt64(lab_record_load(ring + RawFile.chunkTicksOffset))
    unsafe slot.pointee.ticks = lab_record_ticks() &- slot.pointee.base
    unsafe slot.pointee.owner = (lab_record_load(ring + RawFile.chunkNumberOffset) + 1) << UInt(LAB_RECORD_OWNER_SHIFT)
    unsafe slot.pointee.cursor = ring + cursor
    unsafe slot.pointee.end = ring + RawFile.chunkByteCount
    guard isNew else { return }
    lab_record_at_thread_end {
      // SAFETY: the slot is the ending thread's own.
      unsafe RecordedChunk.park(lab_record_slot())
    }
  }

  /// Takes a ring that an ended thread left; false when there is none.
  private static func adopt(_ slot: Slot) -> Bool {
    for index in 0..<RecordedProcess.parkedCountMax {
      let ring = lab_record_exchange(RecordedProcess.Word.parked.address + index * 8, 0)
      guard ring != 0 else { continue }
      let cursor = lab_record_load(ring + cursorOffset)
      // SAFETY: the slot is this thread's own.
      unsafe use(ring, from: cursor, slot)
      let ticks = unsafe lab_record_ticks() &- slot.pointee.base
      if cursor + parkedRoomMin > RawFile.chunkByteCount || ticks > RawRecord.ticksMax / 2 { return unsafe empty(slot) }
      let record = unsafe RawRecord(.thread, payload: UInt64(slot.pointee.number - 1), ticks: ticks)
      lab_record_store(lab_record_claim(RawRecord.byteCount), record.head, record.tail)
      return true
    }
    return false
  }

  /// Leaves the ring of an ending thread to the next one.
  private static func park(_ slot: Slot) {
    lab_record_block()
    defer { lab_record_unblock() }
    // SAFETY: the slot is this thread's own.
    unsafe RecordedStacks.forget(slot)
    var ring = unsafe slot.pointee.chunk
    let cursor = unsafe min(slot.pointee.cursor, slot.pointee.end) - ring
    unsafe close(slot)
    guard ring != 0, lab_record_is_on() != 0 else { return }
    lab_record_set(ring + cursorOffset, UInt64(cursor))
    for index in 0..<RecordedProcess.parkedCountMax where ring != 0 {
      ring = lab_record_exchange(RecordedProcess.Word.parked.address + index * 8, ring)
    }
    // More threads ended than there are places: this ring's records stay in the file.
    if ring != 0 { unmap(ring) }
  }

  /// Takes the ring from the thread.
  static func close(_ slot: Slot) {
    // SAFETY: the slot is this thread's own.
    unsafe slot.pointee.chunk = 0
    unsafe slot.pointee.cursor = 0
    unsafe slot.pointee.end = 0
  }

  static func unmap(_ ring: UInt) { lab_record_unmap(ring, RawFile.chunkByteCount) }
}
