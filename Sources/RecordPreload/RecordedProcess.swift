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
    /// The rings so far.
    case ringCount
    /// The most frames of a call stack, 0 for none, and the mean bytes between two samples, 0 for all calls.
    case frameCountMax
    case sampleByteCount
    /// The loader's changes at the last copy of the process's maps, plus one.
    case moduleChanges
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

  /// What the word says that turns the recording on.
  enum Mode {
    static var plain: UInt { 1 }
    static var stacks: UInt { 2 }
    static var samples: UInt { 3 }
  }

  static var frameCountMax: UInt { lab_record_load(Word.frameCountMax.address) }
  static var sampleByteCount: UInt { lab_record_load(Word.sampleByteCount.address) }

  /// Whether the end of a block is recorded: always, or where it was a sample, which it then no longer is.
  @inline(__always) static func isRecorded(_ block: UInt) -> Bool {
    lab_record_is_on() != Mode.samples || lab_record_sample_remove(block) != 0
  }
  /// Undoes ``isRecorded(_:)``; false where that fails.
  static func goesOnRecording(_ block: UInt) -> Bool {
    lab_record_is_on() != Mode.samples || lab_record_sample_insert(block) != 0
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
    // SAFETY: the pointers are static strings' own.
    let folder = unsafe cString(RawFile.folderVariable)
    let code = unsafe lab_record_create(folder)
    guard code == 0, lab_record_make_word() == 0, makeHeader(isChild: isChild) else {
      _ = lab_record_exchange(Word.state.address, code == EAGAIN ? State.idle : State.stopped)
      return false
    }
    // SAFETY: as above.
    unsafe lab_record_map_beat(folder, cString(RawFile.beatName))
    _ = lab_record_exchange(Word.state.address, State.on)
    lab_record_turn(mode())
    return true
  }

  private static func mode() -> UInt {
    // SAFETY: the pointers are static strings' own.
    let frames = unsafe lab_record_number(cString(RawFile.stacksVariable))
    let sample = unsafe lab_record_number(cString(RawFile.sampleVariable))
    lab_record_set(Word.frameCountMax.address, UInt64(min(frames, RawFile.frameCountMax)))
    lab_record_set(Word.sampleByteCount.address, UInt64(sample))
    return sample > 0 ? Mode.samples : frames > 0 ? Mode.stacks : Mode.plain
  }

  private static func cString(_ text: StaticString) -> UnsafePointer<CChar> {
    // SAFETY: a static string ends with a zero.
    unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  /// Drops the parent's mappings and numbers: what this process writes there would be in the parent's file.
  private static func forgetParent() {
    // SAFETY: the slot is this thread's own, and no other thread is left.
    let slot = unsafe lab_record_slot()
    let ring = unsafe slot.pointee.chunk
    unsafe RecordedChunk.close(slot)
    if ring != 0, unsafe slot.pointee.depth <= 1 { RecordedChunk.unmap(ring) }
    unsafe slot.pointee.number = 0
    unsafe RecordedStacks.forget(slot)
    for index in 0..<parkedCountMax {
      let chunk = lab_record_exchange(Word.parked.address + index * 8, 0)
      if chunk != 0 { RecordedChunk.unmap(chunk) }
    }
    let header = lab_record_exchange(Word.header.address, 0)
    if header != 0 { lab_record_unmap(header, RawFile.headerByteCount) }
    lab_record_set(Word.threadCount.address, 0)
    lab_record_set(Word.ringCount.address, 0)
    lab_record_set(Word.moduleChanges.address, 0)
  }

  /// Copies the process's maps to the file if the loader changed them since the last copy: heapbench finds by them which
  /// library an address was in.
  static func noteModules() {
    let changes = lab_record_module_changes() &+ 1
    guard lab_record_exchange(Word.moduleChanges.address, changes) != changes else { return }
    lab_record_block()
    defer { lab_record_unblock() }
    // The maps may grow between the two readings.
    let wanted = lab_record_maps_length() + 4096 + RawFile.recordsOffset
    let room = (wanted + RawFile.chunkByteCount - 1) / RawFile.chunkByteCount * RawFile.chunkByteCount
    let offset = lab_record_add(Word.fileEnd.address, room)
    var copy: UInt = 0
    // SAFETY: the out-parameter is this function's own.
    let code = unsafe lab_record_map(offset, room, &copy)
    guard code == 0 else { return stop(code) }
    let length = lab_record_read_maps(copy + RawFile.recordsOffset, room - RawFile.recordsOffset)
    lab_record_set(copy + RawFile.mapsByteCountOffset, UInt64(length))
    lab_record_set(copy + RawFile.chunkTicksOffset, lab_record_ticks())
    lab_record_set(copy, RawFile.mapsMagic)
    lab_record_unmap(copy, room)
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
