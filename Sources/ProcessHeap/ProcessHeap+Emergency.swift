internal import CLabMalloc
internal import HeapSpaces
internal import Synchronization

// The blocks that a signal handler gets when it interrupted a slow path of its own thread. They come from a region of
// their own, by one atomic addition, and only the last one can be freed. POSIX does not allow a handler to allocate at
// all, but programs do it, most often between fork and exec.

extension ProcessHeap {
  private static var emergencyStart: UInt { lab_malloc_emergency() }
  private static var emergencyByteCount: UInt { UInt(LAB_MALLOC_EMERGENCY_BYTE_COUNT) }
  /// How much of the region is used while the heap takes no memory from the system: that part was locked at the start.
  private static var emergencyMaximum: UInt {
    let state = ProcessState()
    let isSealed = state.space != 0 && processSpace.isSealed
    return isSealed ? UInt(LAB_MALLOC_EMERGENCY_LOCKED_BYTE_COUNT) : emergencyByteCount
  }
  /// The bytes in front of a block, which hold its size.
  private static var emergencyHeaderByteCount: UInt { 16 }

  /// A block for a thread that has no heap at the moment; 0 when there is no memory, and for a thread that could not
  /// even get a heap.
  static func allocateWithoutHeap(_ byteCount: UInt, alignment: UInt) -> UInt {
    if let textbook = TextbookHeap.current { return textbook.allocate(byteCount, alignment: alignment) }
    return lab_malloc_depth() == 0 ? 0 : allocateEmergency(byteCount, alignment: alignment)
  }

  /// A block from the emergency region. 0 when the region is used up, and for an alignment above 16.
  static func allocateEmergency(_ byteCount: UInt, alignment: UInt) -> UInt {
    let most = emergencyMaximum
    guard alignment <= 16, byteCount < most else { return 0 }
    let room = ((byteCount + 15) & ~15) + emergencyHeaderByteCount
    let offset = ProcessState().fields.emergencyByteCount.wrappingAdd(room, ordering: .relaxed).oldValue
    guard offset + room <= most else {
      ProcessState().fields.emergencyByteCount.wrappingSubtract(room, ordering: .relaxed)
      return 0
    }
    let block = emergencyStart + offset + emergencyHeaderByteCount
    setEmergencyByteCount(room - emergencyHeaderByteCount, of: block)
    return block
  }

  /// Whether `address` lies in the emergency region.
  static func isEmergency(_ address: UInt) -> Bool {
    address &- emergencyStart < emergencyByteCount
  }

  /// Frees a block of the emergency region if it is the last one allocated; others stay.
  static func deallocateEmergency(_ address: UInt) {
    let start = address - emergencyHeaderByteCount - emergencyStart
    let end = address - emergencyStart + emergencyByteCount(of: address)
    _ = ProcessState().fields.emergencyByteCount.compareExchange(expected: end, desired: start, ordering: .relaxed)
  }

  /// The size of a block of the emergency region, in bytes.
  static func emergencyByteCount(of address: UInt) -> UInt {
    withEmergencySize(of: address) { $0.load(ordering: .relaxed) }
  }

  private static func setEmergencyByteCount(_ byteCount: UInt, of address: UInt) {
    withEmergencySize(of: address) { $0.store(byteCount, ordering: .relaxed) }
  }

  private static func withEmergencySize<Result>(
    of address: UInt, _ body: (borrowing Atomic<UInt>) -> Result
  ) -> Result {
    // SAFETY: the word in front of a block lies in the region, is aligned, and is only accessed as this atomic.
    unsafe body(
      UnsafePointer<Atomic<UInt>>(bitPattern: address - emergencyHeaderByteCount).unsafelyUnwrapped.pointee)
  }
}
