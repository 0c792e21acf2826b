internal import CLabMalloc

// Freed mappings that stay at hand.

extension MappedBlocks {
  /// How many bytes of freed mappings are kept.
  private static var keptByteMaximum: UInt { 16 << 20 }

  /// A kept mapping of at least `byteCount` bytes and at most a quarter more, entered as a block; 0 when there is none.
  static func takeKept(_ byteCount: UInt) -> UInt {
    let state = ProcessState()
    guard state.fields.keptByteCount >= byteCount, HeapLock.acquire(at: state.mappedLock) else { return 0 }
    defer { HeapLock.release(at: state.mappedLock) }
    for index in 0..<8 {
      let kept = state.fields.kept[index]
      if kept.byteCount >= byteCount, kept.byteCount - byteCount <= byteCount / 4 {
        guard insertHoldingLock(kept.address, kept.byteCount) else { return 0 }
        state.fields.kept[index] = KeptMapping()
        state.fields.keptByteCount -= kept.byteCount
        return kept.address
      }
    }
    return 0
  }

  /// Keeps a freed mapping or gives it back, with the lock held.
  static func keepOrUnmap(_ address: UInt, _ byteCount: UInt) {
    let state = ProcessState()
    if state.fields.keptByteCount + byteCount <= keptByteMaximum {
      for index in 0..<8 where state.fields.kept[index].byteCount == 0 {
        state.fields.kept[index] = KeptMapping(
          address: address, byteCount: byteCount, milliseconds: UInt(lab_malloc_milliseconds()))
        state.fields.keptByteCount += byteCount
        return
      }
    }
    unmap(address, byteCount)
  }

  /// Gives kept mappings back that were freed at `deadline` or before.
  static func releaseKept(freedBefore deadline: UInt) {
    let state = ProcessState()
    guard state.fields.keptByteCount != 0, HeapLock.acquire(at: state.mappedLock) else { return }
    defer { HeapLock.release(at: state.mappedLock) }
    for index in 0..<8 {
      let kept = state.fields.kept[index]
      if kept.byteCount != 0, kept.milliseconds <= deadline {
        state.fields.kept[index] = KeptMapping()
        state.fields.keptByteCount -= kept.byteCount
        unmap(kept.address, kept.byteCount)
      }
    }
  }

  private static func unmap(_ address: UInt, _ byteCount: UInt) {
    SystemPages.unmap(address, byteCount: byteCount)
    ProcessHeap.processSpace.refund(byteCount: byteCount)
  }
}
