internal import AllocationTraces
internal import CLabRecord

// What happens at each call: one word says whether the process records, a claim moves the thread's cursor, a look at the
// block's owner tells whether the clock must be read, and two stores. Everything else is a slow path.
//
// A signal handler may interrupt all of this and record calls of its own. The claim gives it a place of its own; `depth`
// tells a slow path in the handler that the interrupted one may still write to the chunk, which then stays mapped.

/// Records the calls of this process.
enum Recorder {
  typealias Slot = UnsafeMutablePointer<lab_record_slot>

  /// Records a call that gave out a block, with its usable bytes; false where that is no sample.
  @discardableResult
  @inline(__always) static func record(_ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt) -> Bool {
    guard lab_record_is_on() == RecordedProcess.Mode.plain, byteCount <= RawRecord.sizeMax else {
      return recordAllocationSlowly(kind, block, byteCount, alignmentLog2: 0)
    }
    let usable = lab_record_next_usable(block)
    let extra = usable > byteCount ? usable &- byteCount : 0
    guard extra < RawRecord.extraMax, store(kind, block, byteCount, extra) else {
      return recordAllocationSlowly(kind, block, byteCount, alignmentLog2: 0)
    }
    return true
  }

  /// Records a call that takes a block; `byteCount` belongs to a `realloc` that gave none.
  @inline(__always) static func recordEnd(_ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt = 0) {
    guard lab_record_is_on() != 0, byteCount <= RawRecord.sizeMax, store(kind, block, byteCount, 0) else {
      return recordSlowly(kind, block, byteCount, 0, alignmentLog2: 0, stack: 0)
    }
  }

  /// Records a call at an alignment.
  static func record(_ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt, alignment: UInt) {
    let log2 = alignment > 1 ? UInt.bitWidth - (alignment - 1).leadingZeroBitCount : 0
    _ = recordAllocationSlowly(kind, block, byteCount, alignmentLog2: log2)
  }

  /// Stores a record without extensions; false where the chunk has no room for it.
  @inline(__always)
  private static func store(
    _ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt, _ extra: UInt, stack: UInt64 = 0
  ) -> Bool {
    // SAFETY: the slot is this thread's own, also below. At first, the end is 0.
    let slot = unsafe lab_record_slot()
    let depth = unsafe slot.pointee.depth
    unsafe slot.pointee.depth = depth &+ 1
    defer { unsafe slot.pointee.depth = depth }
    let (address, size, extra) = (UInt64(block), UInt64(byteCount), UInt64(extra))
    let stackByteCount = stack == 0 ? 0 : RawRecord.shortByteCount
    // SAFETY: as above.
    if unsafe takesOverTicks(slot, block) {
      if let word = RawRecord.word(kind, address: address, size: size, extra: extra) {
        let place = lab_record_claim(stackByteCount &+ RawRecord.shortByteCount)
        // SAFETY: as above.
        guard unsafe place &+ stackByteCount &+ RawRecord.shortByteCount <= slot.pointee.end else { return false }
        if stack != 0 { lab_record_store_word(place, RawRecord.word(stack: stack)) }
        lab_record_store_word(place &+ stackByteCount, word)
        return true
      }
    } else {
      // SAFETY: as above.
      unsafe readTicks(slot)
    }
    let place = lab_record_claim(stackByteCount &+ RawRecord.byteCount)
    // SAFETY: as above.
    let ticks = unsafe slot.pointee.ticks
    // SAFETY: as above.
    guard unsafe place &+ stackByteCount &+ RawRecord.byteCount <= slot.pointee.end, ticks <= RawRecord.ticksMax else {
      return false
    }
    let record = RawRecord(kind, address: address, size: size, extra: extra, ticks: ticks)
    if stack != 0 { lab_record_store_word(place, RawRecord.word(stack: stack)) }
    lab_record_store(place &+ stackByteCount, record.head, record.tail)
    return true
  }

  /// Whether a record takes over its thread's last ticks: see RawRecord.
  @inline(__always) private static func takesOverTicks(_ slot: Slot, _ block: UInt) -> Bool {
    // SAFETY: the slot is this thread's own.
    let isOwn = unsafe lab_record_own(block, slot.pointee.owner) != 0
    return unsafe isOwn && slot.pointee.beat == lab_record_beat() && slot.pointee.cursor & 0xF0 != 0
  }

  @inline(__always) static func readTicks(_ slot: Slot) {
    // SAFETY: the slot is this thread's own. A beat during the reading makes the next record read again.
    unsafe slot.pointee.beat = lab_record_beat()
    unsafe slot.pointee.ticks = lab_record_ticks() &- slot.pointee.base
  }

  /// Records an allocation as the process wants it: as a sample, or with its call stack.
  @inline(never)
  private static func recordAllocationSlowly(
    _ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt, alignmentLog2: Int
  ) -> Bool {
    guard lab_record_is_on() != 0 || RecordedProcess.begins() else { return false }
    let mode = lab_record_is_on()
    if mode == RecordedProcess.Mode.samples, !RecordedSamples.takes(block, byteCount) { return false }
    let stack = mode == RecordedProcess.Mode.plain ? 0 : RecordedStacks.hashOfStack()
    let usable = lab_record_next_usable(block)
    let extra = usable > byteCount ? usable &- byteCount : 0
    if alignmentLog2 == 0, byteCount <= RawRecord.sizeMax, extra < RawRecord.extraMax,
      store(kind, block, byteCount, extra, stack: stack)
    {
      return true
    }
    recordSlowly(kind, block, byteCount, extra, alignmentLog2: alignmentLog2, stack: stack)
    return true
  }

  /// Records a call with its extensions, in a new chunk if there is no room; the recording may begin with it.
  @inline(never)
  private static func recordSlowly(
    _ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt, _ extra: UInt, alignmentLog2: Int, stack: UInt64
  ) {
    guard lab_record_is_on() != 0 || RecordedProcess.begins() else { return }
    var (head, count) = (InlineArray<4, RawRecord>(repeating: RawRecord(head: 0, tail: 0)), 0)
    func add(_ record: RawRecord) {
      head[count] = record
      count += 1
    }
    if byteCount > RawRecord.sizeMax { add(RawRecord(.size, payload: UInt64(byteCount) >> 26, ticks: 0)) }
    if alignmentLog2 > 0 { add(RawRecord(.alignment, payload: UInt64(alignmentLog2), ticks: 0)) }
    if extra >= RawRecord.extraMax { add(RawRecord(.extra, payload: UInt64(extra), ticks: 0)) }
    add(RawRecord(kind, address: UInt64(block), size: UInt64(byteCount), extra: UInt64(extra), ticks: 0))
    store(count, block, stack: stack) { index in head[index] }
  }

  /// Claims places for `count` records and stores them, all with the ticks of a call with `block`.
  static func store(_ count: Int, _ block: UInt, stack: UInt64 = 0, _ record: (Int) -> RawRecord) {
    // SAFETY: the slot is this thread's own.
    let slot = unsafe lab_record_slot()
    let stackByteCount = stack == 0 ? 0 : RawRecord.shortByteCount
    let byteCount = stackByteCount &+ UInt(count) &* RawRecord.byteCount
    // SAFETY: as above.
    let depth = unsafe slot.pointee.depth
    unsafe slot.pointee.depth = depth &+ 1
    defer { unsafe slot.pointee.depth = depth }
    // A second try finds a new chunk; a third would find no memory for one either.
    for _ in 0..<2 {
      // SAFETY: as above.
      if unsafe !takesOverTicks(slot, block) { unsafe readTicks(slot) }
      let start = lab_record_claim(byteCount)
      let ticks = unsafe slot.pointee.ticks
      if unsafe start &+ byteCount <= slot.pointee.end, ticks <= RawRecord.ticksMax {
        if stack != 0 { lab_record_store_word(start, RawRecord.word(stack: stack)) }
        for index in 0..<count {
          let record = record(index)
          lab_record_store(
            start &+ stackByteCount &+ UInt(index) &* RawRecord.byteCount, record.head, record.tail | ticks << 26)
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
    store(1 + (length + 5) / 6, 0) { index in
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
