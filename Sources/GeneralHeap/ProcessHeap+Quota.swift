internal import CLabMalloc

// The quota as a program sets it while it runs. As long as there is none nothing is counted, so that the first one
// begins with a count.

extension ProcessHeap {
  /// The most bytes that the heap may hold, `UInt.max` for no limit.
  public static var quotaByteCount: UInt {
    setUpIfNeeded()
    if let textbook = TextbookHeap.current { return textbook.fields.limitByteCount }
    return ProcessState().space == 0 ? .max : processSpace.quotaByteCount
  }

  /// Sets the quota. What is in use stays, also above it.
  public static func setQuota(byteCount: UInt) {
    setUpIfNeeded()
    if let textbook = TextbookHeap.current { return textbook.setLimit(byteCount: byteCount) }
    let state = ProcessState()
    guard state.space != 0, HeapLock.acquire(at: state.mappedLock) else { return }
    defer { HeapLock.release(at: state.mappedLock) }
    processSpace.setQuota(byteCount: byteCount, mappedByteCount: state.fields.mappedByteCount)
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

extension HeapSpace {
  /// Sets the quota; mappings count with so many bytes. The caller holds their lock, which comes before the two here.
  fileprivate func setQuota(byteCount: UInt, mappedByteCount: UInt) {
    guard HeapLock.acquire(at: arenaLock) else { return }
    defer { HeapLock.release(at: arenaLock) }
    guard HeapLock.acquire(at: address) else { return }
    defer { HeapLock.release(at: address) }
    if quotaByteCount == .max {
      fields.usedByteCount = chargedGranuleCount * Span.byteCount + fields.arenaUsedByteCount + mappedByteCount
    }
    quotaByteCount = byteCount
  }

  /// The granules that count against a quota: those of spans, of empty spans in threads' reserves, and of records.
  private var chargedGranuleCount: UInt {
    var count: UInt = 0
    for granule in fields.firstGranule..<committedEnd {
      let span = span(UInt32(truncatingIfNeeded: granule))
      switch span.kind {
      case .span, .metadata: count += 1
      case .none: count += span.state == .reserved ? 1 : 0
      case .arena: break
      }
    }
    return count
  }
}

extension TextbookHeap {
  fileprivate func setLimit(byteCount: UInt) {
    guard HeapLock.acquire(at: address) else { return }
    fields.limitByteCount = byteCount
    HeapLock.release(at: address)
  }
}
