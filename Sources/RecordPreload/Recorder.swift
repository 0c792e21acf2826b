internal import AllocationTraces
internal import CLabRecord

// What happens at each call: one word says whether the process records, a claim moves the thread's cursor, a reading of
// the clock, and two stores. Everything else is a slow path.
//
// A signal handler may interrupt all of this and record calls of its own. The claim gives it a place of its own; `depth`
// tells a slow path in the handler that the interrupted one may still write to the chunk, which then stays mapped.

/// Records the calls of this process.
enum Recorder {
  /// Records a call with `usable` bytes asked of the next malloc.
  @inline(__always) static func record(_ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt) {
    let usable = lab_record_next_usable(block)
    record(kind, block, byteCount, extra: usable > byteCount ? usable &- byteCount : 0)
  }

  /// Records a call.
  @inline(__always)
  static func record(_ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt, extra: UInt) {
    guard lab_record_is_on() != 0, byteCount <= RawRecord.sizeMax, extra < RawRecord.extraMax else {
      return recordSlowly(kind, block, byteCount, extra, alignment: 0)
    }
    // SAFETY: the slot is this thread's own.
    let slot = unsafe lab_record_slot()
    unsafe slot.pointee.depth &+= 1
    let place = lab_record_claim(RawRecord.byteCount)
    let ticks = unsafe lab_record_ticks() &- slot.pointee.base
    // SAFETY: as above. At first, the end is 0.
    if unsafe place &+ RawRecord.byteCount <= slot.pointee.end, ticks <= RawRecord.ticksMax {
      let record = RawRecord(kind, address: UInt64(block), size: UInt64(byteCount), extra: UInt64(extra), ticks: ticks)
      lab_record_store(place, record.head, record.tail)
      // SAFETY: as above, also below.
      unsafe slot.pointee.depth &-= 1
    } else {
      unsafe slot.pointee.depth &-= 1
      recordSlowly(kind, block, byteCount, extra, alignment: 0)
    }
  }

  /// Records a call at an alignment.
  static func record(_ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt, alignment: UInt) {
    let usable = lab_record_next_usable(block)
    recordSlowly(kind, block, byteCount, usable > byteCount ? usable &- byteCount : 0, alignment: alignment)
  }

  /// Records a call with its extensions, in a new chunk if there is no room; the recording may begin with it.
  @inline(never)
  private static func recordSlowly(
    _ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt, _ extra: UInt, alignment: UInt
  ) {
    guard lab_record_is_on() != 0 || RecordedProcess.begins() else { return }
    var (head, count) = (InlineArray<4, RawRecord>(repeating: RawRecord(head: 0, tail: 0)), 0)
    func add(_ record: RawRecord) {
      head[count] = record
      count += 1
    }
    if byteCount > RawRecord.sizeMax { add(RawRecord(.size, payload: UInt64(byteCount) >> 26, ticks: 0)) }
    if alignment > 1 {
      add(RawRecord(.alignment, payload: UInt64(UInt.bitWidth - (alignment - 1).leadingZeroBitCount), ticks: 0))
    }
    if extra >= RawRecord.extraMax { add(RawRecord(.extra, payload: UInt64(extra), ticks: 0)) }
    add(RawRecord(kind, address: UInt64(block), size: UInt64(byteCount), extra: UInt64(extra), ticks: 0))
    store(count) { index in head[index] }
  }

  /// Claims places for `count` records and stores them, all with the present ticks.
  private static func store(_ count: Int, _ record: (Int) -> RawRecord) {
    // SAFETY: the slot is this thread's own.
    let slot = unsafe lab_record_slot()
    let byteCount = UInt(count) &* RawRecord.byteCount
    // SAFETY: as above.
    unsafe slot.pointee.depth &+= 1
    defer { unsafe slot.pointee.depth &-= 1 }
    // A second try finds a new chunk; a third would find no memory for one either.
    for _ in 0..<2 {
      let start = lab_record_claim(byteCount)
      // SAFETY: as above.
      let ticks = unsafe lab_record_ticks() &- slot.pointee.base
      if unsafe start &+ byteCount <= slot.pointee.end, ticks <= RawRecord.ticksMax {
        for index in 0..<count {
          let record = record(index)
          lab_record_store(start &+ UInt(index) &* RawRecord.byteCount, record.head, record.tail | ticks << 26)
        }
        return
      }
      // SAFETY: as above.
      guard unsafe RecordedChunk.open(for: slot) else { return }
    }
  }

  /// The most bytes of a mark's text.
  private static var markByteCountMax: Int { 240 }

  /// Records a mark with the text at `text`.
  static func mark(_ text: UnsafePointer<CChar>) {
    guard lab_record_is_on() != 0 || RecordedProcess.begins() else { return }
    var length = 0
    // SAFETY: the caller's C string, read up to its end.
    while length < markByteCountMax, unsafe text[length] != 0 { length += 1 }
    store(1 + (length + 5) / 6) { index in
      guard index > 0 else { return RawRecord(.mark, payload: UInt64(length), ticks: 0) }
      var payload: UInt64 = 0
      for byte in 0..<6 where (index - 1) * 6 + byte < length {
        // SAFETY: as above: the index is below the length.
        payload |= UInt64(UInt8(bitPattern: unsafe text[(index - 1) * 6 + byte])) << UInt64(8 * byte)
      }
      return RawRecord(.text, payload: payload, ticks: 0)
    }
  }
}
