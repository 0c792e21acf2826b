/// Blocks of one span on their way from a thread that freed them to the heap of another.
struct OutgoingBatch {
  /// The span's address, 0 when there is no batch.
  private(set) var span: UInt = 0
  /// The block that was added last, which links to those before it, and the one that was added first.
  private(set) var first: UInt = 0
  private(set) var last: UInt = 0
  /// How many blocks there are, and how many more there may be.
  private(set) var blockCount: UInt32 = 0
  private(set) var room: Int32 = 0

  /// How many batches a heap has at once.
  @inline(__always)
  static var count: Int { 32 }

  /// How many bytes travel together, but not more than 64 blocks.
  private static var byteMaximum: UInt32 { 4 << 10 }

  init() {}

  /// Begins a batch of blocks of `span`.
  mutating func begin(_ span: Span) {
    self.span = span.address
    first = 0
    blockCount = 0
    room = Int32(min(64, OutgoingBatch.byteMaximum / span.fields.blockByteCount))
  }

  /// Adds a block.
  @inline(__always)
  mutating func push(_ block: FreeBlock) {
    if first == 0 { last = block.address }
    block.next = first
    block.markWord = FreeBlock.mark
    first = block.address
    blockCount &+= 1
    room &-= 1
  }

  /// Takes the blocks out: the batch as it was; there is none then.
  mutating func take() -> OutgoingBatch {
    let batch = self
    span = 0
    return batch
  }
}
