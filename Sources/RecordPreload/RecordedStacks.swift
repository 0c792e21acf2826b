internal import AllocationTraces
internal import CLabRecord

// A call stack stands in the records as its hash. The frames come before it when their thread has not stored that hash
// lately: each thread remembers hashes in a table, in which a newer hash replaces an older one. So no two threads share
// anything, and heapbench finds a hash's frames in the records of the same thread, which it reads in order.
//
// The unwinder may allocate, and a signal handler may interrupt it: calls that come in the middle have no stack.

/// The call stacks of this process's allocations.
enum RecordedStacks {
  /// Frames of this library, with which a stack begins.
  private static var ownFrameCountMax: UInt { 8 }
  /// A thread's memory: a stack's return addresses, the hashes that it remembers, and that of ``StackWalk``.
  private static var framesByteCount: UInt { 1024 }
  private static var knownCount: UInt { 8192 }
  private static var walkOffset: UInt { framesByteCount + knownCount * 8 }
  private static var byteCount: UInt { walkOffset + StackWalk.byteCount }

  /// The hash of the calling thread's stack as records have it, whose frames are then in the records; 0 for none.
  ///
  /// Inlined: each frame of this library costs what a frame of the program costs.
  @inline(__always) static func hashOfStack() -> UInt64 {
    // SAFETY: the slot is this thread's own, as also below.
    let slot = unsafe lab_record_slot()
    guard unsafe slot.pointee.is_unwinding == 0 else { return 0 }
    unsafe slot.pointee.is_unwinding = 1
    if unsafe slot.pointee.stacks == 0 { unsafe slot.pointee.stacks = lab_record_memory(byteCount) }
    let frames = unsafe slot.pointee.stacks
    var hash: UInt64 = 0
    if frames != 0, lab_record_can_unwind() != 0 {
      let wanted = RecordedProcess.frameCountMax
      let walk = StackWalk(memory: frames &+ walkOffset)
      let walked = walk.walk(wanted)
      hash = walked.count == 0 ? unwind(frames, wanted) : max(1, walked.hash >> 16)
      if walked.count != 0, !knows(hash) {
        walk.storeAddresses(walked.count, at: frames)
        store(hash, frames, Int(walked.count))
      }
    }
    // SAFETY: as above.
    unsafe slot.pointee.is_unwinding = 0
    return hash
  }

  /// The hash of the stack as libunwind finds it.
  @inline(never) private static func unwind(_ frames: UInt, _ wanted: UInt) -> UInt64 {
    let count = lab_record_unwind(frames, wanted &+ ownFrameCountMax)
    var start = frames
    while start < frames &+ count &* 8, lab_record_is_own_code(lab_record_load(start)) != 0 { start &+= 8 }
    let end = min(frames &+ count &* 8, start &+ wanted &* 8)
    guard start < end else { return 0 }
    var hash: UInt64 = 0
    for place in stride(from: start, to: end, by: 8) { hash = StackWalk.hash(hash, lab_record_load(place)) }
    hash = max(1, hash >> 16)
    if !knows(hash) { store(hash, start, Int((end &- start) / 8)) }
    return hash
  }

  /// Whether the thread remembers a hash; it does from now on.
  @inline(__always) private static func knows(_ hash: UInt64) -> Bool {
    // SAFETY: the slot is this thread's own.
    let known = unsafe lab_record_slot().pointee.stacks &+ framesByteCount &+ UInt(hash) % knownCount &* 8
    if lab_record_load(known) == UInt(hash) { return true }
    lab_record_set(known, hash)
    return false
  }

  @inline(never) private static func store(_ hash: UInt64, _ frames: UInt, _ count: Int) {
    RecordedProcess.noteModules()
    // heapbench looks the frames up in the maps of that moment.
    // SAFETY: as above.
    unsafe Recorder.readTicks(lab_record_slot())
    Recorder.store(count + 1, 0) { index in
      index == count
        ? RawRecord(.stackHash, payload: hash, ticks: 0)
        : RawRecord(.frame, payload: UInt64(lab_record_load(frames &+ UInt(index) &* 8)), ticks: 0)
    }
  }

  /// Forgets the thread's hashes: at its end, and in a child of fork.
  static func forget(_ slot: Recorder.Slot) {
    // SAFETY: the slot is this thread's own. While it unwinds, below a handler, the memory is in use.
    guard unsafe slot.pointee.is_unwinding == 0 else { return }
    let memory = unsafe slot.pointee.stacks
    unsafe slot.pointee.stacks = 0
    if memory != 0 { lab_record_unmap(memory, byteCount) }
  }
}
