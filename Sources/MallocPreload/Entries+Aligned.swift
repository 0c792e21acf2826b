internal import Addresses
internal import CLabMalloc
internal import MemoryRegions
internal import ProcessHeap

// The aligned forms, with glibc's errors: `aligned_alloc` and `posix_memalign` refuse a wrong alignment with EINVAL,
// `memalign` rounds it up to the next power of two.

@c(lab_entry_aligned_alloc)
public func entryAlignedAlloc(_ alignment: UInt, _ byteCount: UInt) -> UInt {
  guard alignment.isPowerOfTwo else { return ProcessHeap.fail(EINVAL) }
  return ProcessHeap.allocate(byteCount, alignment: alignment)
}

@c(lab_entry_memalign)
public func entryMemalign(_ alignment: UInt, _ byteCount: UInt) -> UInt {
  guard alignment > 16 else { return ProcessHeap.allocate(byteCount) }
  guard alignment <= UInt.max / 2 + 1 else { return ProcessHeap.fail(EINVAL) }
  let rounded = UInt(1) << UInt(UInt.bitWidth - (alignment - 1).leadingZeroBitCount)
  return ProcessHeap.allocate(byteCount, alignment: rounded)
}

/// Writes the block to `result`. Without memory it also sets `errno`, as glibc does.
@c(lab_entry_posix_memalign)
public func entryPosixMemalign(_ result: UnsafeMutablePointer<UInt>?, _ alignment: UInt, _ byteCount: UInt) -> Int32 {
  guard alignment.isPowerOfTwo, alignment % 8 == 0 else { return EINVAL }
  let block = ProcessHeap.allocate(byteCount, alignment: alignment)
  if block == 0 { return ENOMEM }
  // SAFETY: the caller's pointer, which the function requires to be valid.
  unsafe result?.pointee = block
  return 0
}

@c(lab_entry_valloc)
public func entryValloc(_ byteCount: UInt) -> UInt {
  ProcessHeap.allocate(byteCount, alignment: SystemPages.byteCount)
}

@c(lab_entry_pvalloc)
public func entryPvalloc(_ byteCount: UInt) -> UInt {
  let (sum, overflow) = byteCount.addingReportingOverflow(SystemPages.byteCount - 1)
  return overflow
    ? ProcessHeap.fail(ENOMEM)
    : ProcessHeap.allocate(sum & ~(SystemPages.byteCount - 1), alignment: SystemPages.byteCount)
}
