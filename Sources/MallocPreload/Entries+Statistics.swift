internal import CLabMalloc
internal import GeneralHeap

// What the family tells about the heap, and what it can be told.

@c(lab_entry_malloc_trim)
public func entryMallocTrim(_ padding: UInt) -> Int32 {
  ProcessHeap.trim() ? 1 : 0
}

@c(lab_entry_mallopt)
public func entryMallopt(_ parameter: Int32, _ value: Int32) -> Int32 {
  ProcessHeap.isKnownOption(parameter, value) ? 1 : 0
}
