import AllocationTraces

/// A call of a recorded program: 16 bytes, ready to be made.
struct TraceStep: BitwiseCopyable {
  enum Kind: UInt8 {
    case allocate
    case allocateAligned
    case allocateZeroed
    case reallocate
    case deallocate
  }

  /// Bytes asked for; of a reallocation the new ones.
  let byteCount: UInt32
  /// The object that the call makes, or that it frees.
  let object: UInt32
  /// The object that a reallocation ends.
  let source: UInt32
  let thread: UInt16
  let kind: Kind
  let alignmentLog2: UInt8

  /// The call that an event records, or nil when it records none.
  init?(_ event: TraceEvent, newObject: UInt64, thread: UInt16) {
    var (byteCount, object, source) = (UInt64(0), newObject, UInt64(0))
    var alignmentLog2: UInt8 = 0
    switch event {
    case .allocate(let count): (byteCount, kind) = (count, .allocate)
    case .allocateAligned(let count, let log2): (byteCount, alignmentLog2, kind) = (count, log2, .allocateAligned)
    case .allocateZeroed(let count): (byteCount, kind) = (count, .allocateZeroed)
    case .reallocate(let old, let count): (source, byteCount, kind) = (old, count, .reallocate)
    case .deallocate(let old): (object, kind) = (old, .deallocate)
    case .timePasses, .threadBecomes: return nil
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
