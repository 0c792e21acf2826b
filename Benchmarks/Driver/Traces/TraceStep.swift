import AllocationTraces

/// One call of a recorded program, in 16 bytes.
struct TraceStep: BitwiseCopyable {
  enum Kind: UInt8 {
    case allocate
    case allocateAligned
    case allocateZeroed
    case reallocate
    case deallocate
  }

  /// The requested bytes; of a reallocation the new size.
  let byteCount: UInt32
  /// The object that the call allocates or frees.
  let object: UInt32
  /// The object that a reallocation replaces.
  let source: UInt32
  let thread: UInt16
  let kind: Kind
  let alignmentLog2: UInt8

  /// The call that an event records; nil for an event that is no call.
  init?(_ event: TraceEvent, newObject: UInt64, thread: UInt16) {
    var (byteCount, object, source) = (UInt64(0), newObject, UInt64(0))
    var alignmentLog2: UInt8 = 0
    switch event {
    case .allocate(let count): (byteCount, kind) = (count, .allocate)
    case .allocateAligned(let count, let log2): (byteCount, alignmentLog2, kind) = (count, log2, .allocateAligned)
    case .allocateZeroed(let count): (byteCount, kind) = (count, .allocateZeroed)
    case .reallocate(let old, let count): (source, byteCount, kind) = (old, count, .reallocate)
    case .deallocate(let old): (object, kind) = (old, .deallocate)
    case .timePasses, .threadBecomes, .deallocateEarlier, .mark: return nil
    }
    guard byteCount <= UInt32.max, max(object, source) < UInt32.max else {
      stop("replays traces of less than 4 GiB a block and 4,294,967,295 blocks")
    }
    self.byteCount = UInt32(byteCount)
    self.object = UInt32(object)
    self.source = UInt32(source)
    self.thread = thread
    self.alignmentLog2 = alignmentLog2
  }
}
