internal import AllocationTraces
internal import CLabRecord

// The entries of the malloc family. Each calls the next malloc in the loader's order and records the call; the linker
// gives it its real name (`--defsym`), because Swift reserves `malloc`.
//
// A free is stamped before the call, and every other call after it. Otherwise a block that passes from one thread to
// another could seem to be in use twice.

@c(lab_record_entry_malloc)
public func recordMalloc(_ byteCount: UInt) -> UInt {
  let block = lab_record_next_malloc(byteCount)
  if block != 0 { Recorder.record(.malloc, block, byteCount) }
  return block
}

@c(lab_record_entry_free)
public func recordFree(_ block: UInt) {
  guard block != 0 else { return }
  if RecordedProcess.isRecorded(block) { Recorder.recordEnd(.free, block) }
  lab_record_next_free(block)
}

@c(lab_record_entry_calloc)
public func recordCalloc(_ count: UInt, _ byteCount: UInt) -> UInt {
  let block = lab_record_next_calloc(count, byteCount)
  // The product cannot overflow where there is a block.
  if block != 0 { Recorder.record(.calloc, block, count &* byteCount) }
  return block
}

@c(lab_record_entry_realloc)
public func recordRealloc(_ block: UInt, _ byteCount: UInt) -> UInt {
  reallocate(.realloc, block, byteCount)
}

/// Not every malloc has `reallocarray`, and every one has `realloc`.
@c(lab_record_entry_reallocarray)
public func recordReallocarray(_ block: UInt, _ count: UInt, _ byteCount: UInt) -> UInt {
  let (total, overflow) = count.multipliedReportingOverflow(by: byteCount)
  guard !overflow else {
    lab_record_errno_set(ENOMEM)
    return 0
  }
  return reallocate(.reallocarray, block, total)
}

@inline(__always)
private func reallocate(_ kind: RawRecord.Kind, _ block: UInt, _ byteCount: UInt) -> UInt {
  let isRecorded = block != 0 && RecordedProcess.isRecorded(block)
  if isRecorded { Recorder.recordEnd(.reallocBegin, block) }
  let moved = lab_record_next_realloc(block, byteCount)
  if moved != 0 {
    // A new block that is no sample ends the old one as a free would.
    if !Recorder.record(kind, moved, byteCount), isRecorded { Recorder.recordEnd(kind, 0) }
  } else if isRecorded {
    // Without a new block, the old one stays, or was freed for 0 bytes.
    let stays = byteCount != 0 && RecordedProcess.goesOnRecording(block)
    Recorder.recordEnd(kind, 0, stays ? byteCount : 0)
  }
  return moved
}

@c(lab_record_entry_aligned_alloc)
public func recordAlignedAlloc(_ alignment: UInt, _ byteCount: UInt) -> UInt {
  let block = lab_record_next_aligned_alloc(alignment, byteCount)
  if block != 0 { Recorder.record(.alignedAlloc, block, byteCount, alignment: alignment) }
  return block
}

@c(lab_record_entry_memalign)
public func recordMemalign(_ alignment: UInt, _ byteCount: UInt) -> UInt {
  let block = lab_record_next_memalign(alignment, byteCount)
  if block != 0 { Recorder.record(.memalign, block, byteCount, alignment: alignment) }
  return block
}

@c(lab_record_entry_posix_memalign)
public func recordPosixMemalign(_ result: UnsafeMutablePointer<UInt>, _ alignment: UInt, _ byteCount: UInt) -> Int32 {
  // SAFETY: the caller's pointer, which the function requires to be valid.
  let code = unsafe lab_record_next_posix_memalign(result, alignment, byteCount)
  if code == 0 { Recorder.record(.posixMemalign, unsafe result.pointee, byteCount, alignment: alignment) }
  return code
}

@c(lab_record_entry_valloc)
public func recordValloc(_ byteCount: UInt) -> UInt {
  let block = lab_record_next_valloc(byteCount)
  if block != 0 { Recorder.record(.valloc, block, byteCount, alignment: 4096) }
  return block
}

@c(lab_record_entry_pvalloc)
public func recordPvalloc(_ byteCount: UInt) -> UInt {
  let block = lab_record_next_pvalloc(byteCount)
  if block != 0 { Recorder.record(.pvalloc, block, (byteCount + 4095) & ~4095, alignment: 4096) }
  return block
}

@c(lab_record_entry_heaplab_mark)
public func recordMark(_ text: UnsafePointer<CChar>) {
  // SAFETY: the caller's C string, which the function requires.
  unsafe Recorder.mark(text)
}
