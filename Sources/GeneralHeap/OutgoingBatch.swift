/// Blocks of one span on their way from a thread that freed them to the heap of another.
struct OutgoingBatch {
  /// The span's granule, 0 for none; there may be no block yet, and then the span may be anyone's by now.
  private(set) var granule: UInt32 = 0
  /// Where in its granule the block lies that was added first, in steps of 16 bytes.
  private var lastStep: UInt16 = 0
  /// How many blocks there are, and how many more there may be.
  private(set) var blockCount: UInt8 = 0
  private(set) var room: UInt8 = 0
  /// The block that was added last, which links to those before it; 0 for none.
  private(set) var first: UInt = 0

  /// How many batches a heap has at once.
  @inline(__always)
  static var count: Int { 64 }

  /// How many bytes travel together, but not more than 64 blocks.
  private static var byteMaximum: UInt32 { 4 << 10 }

  init() {}

  /// The block that was added first.
  var last: FreeBlock { FreeBlock(first & ~(Span.byteCount - 1) | UInt(lastStep) << 4) }

  /// Begins a batch of blocks of `span`, which is `granule`.
  mutating func begin(_ span: Span, granule: UInt32) {
    self.granule = granule
    first = 0
    blockCount = 0
    room = UInt8(truncatingIfNeeded: max(1, min(64, OutgoingBatch.byteMaximum / span.fields.blockByteCount)))
  }

  /// Adds a block.
  @inline(__always)
  mutating func push(_ block: FreeBlock) {
    if first == 0 { lastStep = UInt16(truncatingIfNeeded: block.address >> 4) & 0xFFF }
    block.next = first
    block.markWord = FreeBlock.mark
    first = block.address
    blockCount &+= 1
    room &-= 1
  }
}
