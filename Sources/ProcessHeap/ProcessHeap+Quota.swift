internal import CLabMalloc
internal import HeapSpaces
internal import ThreadHeaps

// The quota, as a program sets it while it runs.

extension ProcessHeap {
  /// The most bytes that the heap may hold, `UInt.max` for no limit.
  public static var quotaByteCount: UInt {
    setUpIfNeeded()
    if let textbook = TextbookHeap.current { return textbook.fields.limitByteCount }
    return ProcessState().space == 0 ? .max : processSpace.quotaByteCount
  }

  /// Sets the quota. Blocks in use stay, even if they exceed it.
  public static func setQuota(byteCount: UInt) {
    setUpIfNeeded()
    if let textbook = TextbookHeap.current { return textbook.setLimit(byteCount: byteCount) }
    let state = ProcessState()
    guard state.space != 0, state.fields.mappedLock.acquire(wait) else { return }
    defer { state.fields.mappedLock.release() }
    processSpace.setQuota(byteCount: byteCount, mappedByteCount: MappedBlocks.byteCount + MappedBlocks.keptByteCount)
  }

  /// Locks the pinned part of the heap again, in a child of fork: 0, or -1 with `errno`.
  public static func pinAgain() -> Int32 {
    setUpIfNeeded()
    guard ProcessState().space != 0 else { return 0 }
    let code = Placement.pinAgain(processSpace)
    guard code != 0 else { return 0 }
    lab_malloc_errno_set(code)
    return -1
  }

  /// The name of the policy that serves the process.
  public static var policyName: StaticString {
    setUpIfNeeded()
    switch TextbookHeap.current?.fields.policy ?? .general {
    case .general: return "general"
    case .firstFit: return "firstfit"
    case .buddy: return "buddy"
    }
  }

  /// Sets the heap up as the first allocation would.
  private static func setUpIfNeeded() {
    if let heap = enter() { leave(heap) }
  }
}

extension TextbookHeap {
  fileprivate func setLimit(byteCount: UInt) {
    guard fields.lock.acquire(ProcessHeap.wait) else { return }
    fields.limitByteCount = byteCount
    fields.lock.release()
  }
}
