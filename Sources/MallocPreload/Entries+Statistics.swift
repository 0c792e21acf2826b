public import CLabMalloc
internal import ProcessHeap

// The functions of the family that report on the heap or set options.

@c(lab_entry_malloc_trim)
public func entryMallocTrim(_ padding: UInt) -> Int32 {
  ProcessHeap.trim() ? 1 : 0
}

@c(lab_entry_mallopt)
public func entryMallopt(_ parameter: Int32, _ value: Int32) -> Int32 {
  ProcessHeap.isKnownOption(parameter, value) ? 1 : 0
}

@c(lab_entry_malloc_stats)
public func entryMallocStats() {
  ProcessHeap.report()
}

@c(lab_entry_mallinfo2)
public func entryMallinfo2() -> mallinfo2 {
  var now = ProcessHeap.statistics
  // SAFETY: C reads the struct and keeps no pointer to it.
  return unsafe lab_malloc_mallinfo2(&now)
}

@c(lab_entry_mallinfo)
public func entryMallinfo() -> mallinfo {
  var now = ProcessHeap.statistics
  // SAFETY: as above.
  return unsafe lab_malloc_mallinfo(&now)
}

@c(lab_entry_malloc_info)
public func entryMallocInfo(_ options: Int32, _ stream: UnsafeMutablePointer<FILE>?) -> Int32 {
  guard options == 0 else { return EINVAL }
  var now = ProcessHeap.statistics
  // SAFETY: the caller's stream; as above.
  return unsafe lab_malloc_write_info(&now, stream)
}

@c(heaplab_read_statistics)
public func entryReadStatistics(_ statistics: UnsafeMutableRawPointer?, _ byteCount: UInt) {
  var now = ProcessHeap.statistics
  // SAFETY: the caller's memory has as many bytes as the caller says; as above.
  unsafe lab_malloc_copy_statistics(&now, statistics, byteCount)
}
