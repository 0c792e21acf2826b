internal import AllocationTraces
internal import CLabRecord

// A process begins to record at its first call. A child of fork finds the word of its parent wiped, although the state
// says that the recording is on: then it is the only thread of a new process, and begins with a file of its own.

/// The recording of this process.
enum RecordedProcess {
  /// The words of the state, in memory that is zero at first.
  enum Word: UInt {
    case state = 0
    /// The end of the file so far.
    case fileEnd
    /// The number of threads so far.
    case threadCount
    /// The header of the file.
    case header
    /// Chunks that ended threads left.
    case parked = 16

    var address: UInt { lab_record_state() + rawValue * 8 }
  }

  /// What the state's word holds.
  private enum State {
    static var idle: UInt { 0 }
    static var beginning: UInt { 1 }
    static var on: UInt { 2 }
    static var stopped: UInt { 3 }
  }

  /// The chunks that ended threads may leave.
  static var parkedCountMax: UInt { 64 }

  /// Begins the recording where it has not begun; whether it is on.
  @inline(never) static func begins() -> Bool {
    if lab_record_load(Word.state.address) == State.stopped { return false }
    let state = lab_record_exchange(Word.state.address, State.beginning)
    switch state {
    case State.idle: return begin(isChild: false)
    case State.on: return begin(isChild: true)
    case State.stopped:
      // It stopped after the reading above.
      _ = lab_record_exchange(Word.state.address, State.stopped)
      return false
    default: return false  // Another thread is at it, or this one below a handler.
    }
  }

  private static func begin(isChild: Bool) -> Bool {
    lab_record_block()
    defer { lab_record_unblock() }
    if isChild { forgetParent() }
    // SAFETY: a static string ends with a zero.
    let code = unsafe lab_record_create(
      UnsafeRawPointer(RawFile.folderVariable.utf8Start).assumingMemoryBound(to: CChar.self))
    guard code == 0, lab_record_make_word() == 0, makeHeader(isChild: isChild) else {
      _ = lab_record_exchange(Word.state.address, code == EAGAIN ? State.idle : State.stopped)
      return false
    }
    _ = lab_record_exchange(Word.state.address, State.on)
    lab_record_turn(1)
    return true
  }

  /// Drops the parent's mappings and numbers: what this process writes there would be in the parent's file.
  private static func forgetParent() {
    // SAFETY: the slot is this thread's own, and no other thread is left.
    let slot = unsafe lab_record_slot()
    let ring = unsafe slot.pointee.chunk
    unsafe RecordedChunk.close(slot)
    if ring != 0, unsafe slot.pointee.depth <= 1 { RecordedChunk.unmap(ring) }
    unsafe slot.pointee.number = 0
    for index in 0..<parkedCountMax {
      let chunk = lab_record_exchange(Word.parked.address + index * 8, 0)
      if chunk != 0 { RecordedChunk.unmap(chunk) }
    }
    let header = lab_record_exchange(Word.header.address, 0)
    if header != 0 { lab_record_unmap(header, RawFile.headerByteCount) }
    lab_record_set(Word.threadCount.address, 0)
  }

  private static func makeHeader(isChild: Bool) -> Bool {
    var header: UInt = 0
    // SAFETY: the out-parameter is this function's own.
    guard unsafe lab_record_map(0, RawFile.headerByteCount, &header) == 0 else { return false }
    lab_record_set(header + RawFile.processOffset, UInt64(lab_record_process()))
    lab_record_set(header + RawFile.parentOffset, UInt64(lab_record_parent()))
    lab_record_set(header + RawFile.ticksOffset, lab_record_ticks())
    lab_record_set(header + RawFile.nanosecondsOffset, lab_record_nanoseconds())
    lab_record_set(header + RawFile.forkOffset, isChild ? 1 : 0)
    let room = RawFile.headerByteCount - RawFile.commandOffset
    let length = lab_record_read_command(header + RawFile.commandOffset, room)
    lab_record_set(header + RawFile.commandByteCountOffset, UInt64(length))
    // Last: a file without its magic is no recording.
    lab_record_set(header, RawFile.magic)
    lab_record_set(Word.header.address, UInt64(header))
    lab_record_set(Word.fileEnd.address, UInt64(RawFile.headerByteCount))
    return true
  }

  /// Whether heapbench told the recorder to stop.
  static var isToStop: Bool { lab_record_load(lab_record_load(Word.header.address) + RawFile.stopOffset) != 0 }

  /// Stops the recording for good. The program goes on, and heapbench finds the reason in the file.
  static func stop(_ code: Int32) {
    lab_record_set(lab_record_load(Word.header.address) + RawFile.failureOffset, UInt64(code))
    lab_record_turn(0)
    _ = lab_record_exchange(Word.state.address, State.stopped)
  }
}
