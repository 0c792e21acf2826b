internal import CLabMalloc
internal import Synchronization

// What a signal handler gets that interrupted a slow path of its own thread: blocks of a region of their own, handed
// out by one atomic addition, and taken back only in the order opposite to that. POSIX does not let a handler allocate
// at all; programs do it all the same, most often between fork and exec.

extension ProcessHeap {
  private static var emergencyStart: UInt { UInt(lab_malloc_emergency()) }
  private static var emergencyByteCount: UInt { 8 << 20 }

  /// A block for a thread that has no heap at the moment, 0 when there is no memory: nor is there any for a thread that
  /// did not even get a heap.
  static func allocateWithoutHeap(_ byteCount: UInt, alignment: UInt) -> UInt {
    if let textbook = TextbookHeap.current { return textbook.allocate(byteCount, alignment: alignment) }
    return lab_malloc_depth() == 0 ? 0 : allocateEmergency(byteCount, alignment: alignment)
  }

  /// A block from the emergency region at a multiple of `alignment`, of which it has none above 16.
  static func allocateEmergency(_ byteCount: UInt, alignment: UInt) -> UInt {
    alignment <= 16 ? allocateNested(byteCount) : 0
  }

  /// A block from the emergency region, 0 when that is used up.
  static func allocateNested(_ byteCount: UInt) -> UInt {
    guard byteCount < emergencyByteCount else { return 0 }
    let room = ((byteCount + 15) & ~15) + 16
    let offset = withEmergencyUsed { $0.wrappingAdd(room, ordering: .relaxed).oldValue }
    guard offset + room <= emergencyByteCount else {
      _ = withEmergencyUsed { $0.wrappingSubtract(room, ordering: .relaxed) }
      return 0
    }
    // Its size lies in front of it.
    let block = emergencyStart + offset
    lab_malloc_word_set(CUnsignedLong(block), CUnsignedLong(room - 16))
    return block + 16
  }

  /// Whether `address` is a block of the emergency region.
  static func isEmergency(_ address: UInt) -> Bool {
    address &- emergencyStart < emergencyByteCount
  }

  /// Takes a block of the emergency region back, if it is the last that was handed out; others stay.
  static func deallocateEmergency(_ address: UInt) {
    let start = address - 16 - emergencyStart
    let end = start + 16 + UInt(lab_malloc_word(CUnsignedLong(address - 16)))
    _ = withEmergencyUsed { $0.compareExchange(expected: end, desired: start, ordering: .relaxed) }
  }

  @inline(__always)
  private static func withEmergencyUsed<Result>(_ body: (borrowing Atomic<UInt>) -> Result) -> Result {
    // SAFETY: the field is aligned and only ever accessed as this atomic.
    unsafe body(UnsafePointer<Atomic<UInt>>(bitPattern: ProcessState().emergencyUsed).unsafelyUnwrapped.pointee)
  }
}
