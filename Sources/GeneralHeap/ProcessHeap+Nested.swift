internal import CLabMalloc
internal import Synchronization

// What a signal handler gets that interrupted a slow path of its own thread: blocks of a small region, handed out by
// one atomic addition and never taken back. POSIX does not let a handler allocate at all; programs do it all the same,
// most often between fork and exec.

extension ProcessHeap {
  /// A block from the emergency region, 0 when that is used up.
  static func allocateNested(_ byteCount: UInt) -> UInt {
    let state = ProcessState()
    let room = ((byteCount + 15) & ~15) + 16
    guard byteCount < 1 << 20, state.fields.emergencyEnd != 0 else { return 0 }
    // SAFETY: the field is aligned and, once the process heap is set up, only ever accessed as this atomic.
    let next = unsafe UnsafePointer<Atomic<UInt>>(bitPattern: state.emergencyNext).unsafelyUnwrapped
    let block = unsafe next.pointee.wrappingAdd(room, ordering: .relaxed).oldValue
    guard block + room <= state.fields.emergencyEnd else { return 0 }
    lab_malloc_word_set(CUnsignedLong(block), CUnsignedLong(room - 16))
    return block + 16
  }

  /// Whether `address` is a block of the emergency region.
  static func isEmergency(_ address: UInt) -> Bool {
    let state = ProcessState()
    return address >= state.fields.emergencyStart && address < state.fields.emergencyEnd
  }
}
