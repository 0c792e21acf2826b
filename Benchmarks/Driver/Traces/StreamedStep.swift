/// One call of a trace that heapbench streams to the driver, in 16 bytes.
struct StreamedStep: BitwiseCopyable {
  /// The slot (32 bits), its turn (16), the kind (4) and the alignment's logarithm (6), from the lowest bit on.
  var word: UInt64
  /// The requested bytes.
  var byteCount: UInt64

  /// What a step does, by its number.
  enum Kind {
    static var allocate: UInt64 { 0 }
    static var allocateZeroed: UInt64 { 1 }
    static var reallocate: UInt64 { 2 }
    static var deallocate: UInt64 { 3 }
  }

  @inline(__always) var slot: Int { Int(truncatingIfNeeded: word & 0xFFFF_FFFF) }
  @inline(__always) var turn: UInt16 { UInt16(truncatingIfNeeded: word >> 32) }
  @inline(__always) var kind: UInt64 { word >> 48 & 15 }
  @inline(__always) var alignmentLog2: Int { Int(truncatingIfNeeded: word >> 52 & 63) }
}

/// The steps that one thread takes of a batch.
struct StreamedRun: BitwiseCopyable {
  var thread: UInt32
  var count: UInt32
}
