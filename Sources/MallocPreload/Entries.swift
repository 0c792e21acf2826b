internal import CLabMalloc
internal import ProcessHeap

// The entries of the malloc family. Each is `lab_entry_NAME`; the linker gives it its real name (`--defsym`), because
// Swift reserves `malloc`. Only here does `errno` cross: every function sets it to ENOMEM when it fails for lack of
// memory, and `free` leaves it unchanged.

@c(lab_entry_malloc)
public func entryMalloc(_ byteCount: UInt) -> UInt {
  ProcessHeap.allocate(byteCount)
}

@c(lab_entry_free)
public func entryFree(_ address: UInt) {
  ProcessHeap.deallocate(address)
}

@c(lab_entry_calloc)
public func entryCalloc(_ count: UInt, _ byteCount: UInt) -> UInt {
  let (total, overflow) = count.multipliedReportingOverflow(by: byteCount)
  return overflow ? ProcessHeap.fail(ENOMEM) : ProcessHeap.allocateZeroed(total)
}

@c(lab_entry_realloc)
public func entryRealloc(_ address: UInt, _ byteCount: UInt) -> UInt {
  ProcessHeap.reallocate(address, byteCount)
}

@c(lab_entry_reallocarray)
public func entryReallocarray(_ address: UInt, _ count: UInt, _ byteCount: UInt) -> UInt {
  let (total, overflow) = count.multipliedReportingOverflow(by: byteCount)
  return overflow ? ProcessHeap.fail(ENOMEM) : ProcessHeap.reallocate(address, total)
}

@c(lab_entry_malloc_usable_size)
public func entryMallocUsableSize(_ address: UInt) -> UInt {
  address == 0 ? 0 : ProcessHeap.usableByteCount(of: address)
}
