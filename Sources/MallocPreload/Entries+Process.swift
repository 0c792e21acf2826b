internal import CLabMalloc
internal import ProcessHeap

// The functions of `heaplab.h` on the heap of the process. `heaplab.h` documents them.

@c(heaplab_policy)
public func entryPolicy() -> UInt {
  // SAFETY: a literal's bytes end with a zero and live as long as the library.
  unsafe UInt(bitPattern: ProcessHeap.policyName.utf8Start)
}

@c(heaplab_trim)
public func entryTrim() -> Int32 {
  ProcessHeap.trim() ? 1 : 0
}

@c(heaplab_pin_again)
public func entryPinAgain() -> Int32 {
  ProcessHeap.pinAgain()
}

@c(heaplab_quota)
public func entryQuota() -> UInt {
  ProcessHeap.quotaByteCount
}

@c(heaplab_set_quota)
public func entrySetQuota(_ byteCount: UInt) {
  ProcessHeap.setQuota(byteCount: byteCount)
}

/// The recorder's function of this name comes before this one in the loader's order.
@c(heaplab_mark)
public func entryMark(_ text: UInt) {}
