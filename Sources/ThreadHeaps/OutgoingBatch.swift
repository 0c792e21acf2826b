internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization

/// Blocks of one span on their way from the thread that freed them to the heap that owns the span.
///
/// Only the freeing thread writes it. Other threads search it for a block or count its blocks, and therefore its two
/// words are accessed as relaxed atomics.
package struct OutgoingBatch {
  /// The fields besides the blocks, in one word.
  struct Header {
    /// The span's granule, 0 for none. While the batch has no blocks, the granule may become anything.
    var granule: UInt32 = 0
    /// The offset in the granule of the block that was added first, in steps of 16 bytes.
    var lastStep: UInt16 = 0
    /// How many blocks the batch has, and how many more it takes.
    var blockCount: UInt8 = 0
    var room: UInt8 = 0
  }

  /// Where the number of blocks begins in the word. The granule's number is its lower half.
  static var countShift: UInt { 48 }

  private var word: UInt = 0
  /// The block that was added last, linked to the earlier ones; 0 for none.
  private var newest: UInt = 0

  /// The most bytes of blocks in one batch, and the most blocks.
  private static var byteMaximum: UInt32 { 4 << 10 }
  private static var blockMaximum: UInt32 { 64 }

  /// How many batches a heap has. The count of the array is a literal, and must be this.
  @inline(__always)
  package static var count: Int { OutgoingBatches.count }

  @inline(__always)
  private var header: Header {
    mutating get {
      let word = withAtomic(&word) { $0.load(ordering: .relaxed) }
      return Header(
        granule: UInt32(truncatingIfNeeded: word), lastStep: UInt16(truncatingIfNeeded: word >> 32),
        blockCount: UInt8(truncatingIfNeeded: word >> OutgoingBatch.countShift),
        room: UInt8(truncatingIfNeeded: word >> 56))
    }
    set {
      let low = UInt(newValue.granule) | UInt(newValue.lastStep) << 32
      let high = UInt(newValue.blockCount) << OutgoingBatch.countShift | UInt(newValue.room) << 56
      withAtomic(&word) { $0.store(low | high, ordering: .relaxed) }
    }
  }

  /// The span's granule, 0 for none.
  package var granule: UInt32 { mutating get { header.granule } }

  /// How many blocks the batch has.
  package var blockCount: UInt { mutating get { UInt(header.blockCount) } }

  /// The first of the linked blocks, 0 for none.
  package var first: UInt { mutating get { withAtomic(&newest) { $0.load(ordering: .relaxed) } } }

  /// The last of the linked blocks, which was added first.
  var last: FreeBlock {
    mutating get { FreeBlock(first & ~(Granule.byteCount - 1) | UInt(header.lastStep) << 4) }
  }

  /// Whether the batch has blocks of the span at `granule`.
  mutating func isOf(_ granule: UInt32) -> Bool { header.granule == granule && header.blockCount != 0 }

  /// Whether the batch takes no more blocks.
  var isFull: Bool { mutating get { header.room == 0 } }

  /// Begins a batch for blocks of `span`, the span at `granule`.
  mutating func begin(_ span: BlockSpan, granule: UInt32) {
    withAtomic(&newest) { $0.store(0, ordering: .relaxed) }
    // After a batch was handed over, its span may become one of another class.
    let blockByteCount = UInt32(truncatingIfNeeded: span.glimpsedSizeClass.blockByteCount)
    let room = max(1, min(OutgoingBatch.blockMaximum, OutgoingBatch.byteMaximum / blockByteCount))
    header = Header(granule: granule, room: UInt8(truncatingIfNeeded: room))
  }

  /// Ends the batch, which then belongs to no span.
  mutating func clear() {
    withAtomic(&newest) { $0.store(0, ordering: .relaxed) }
    header = Header()
  }

  /// Adds a block.
  @inline(__always)
  mutating func push(_ block: FreeBlock) {
    var header = header
    push(block, &header)
  }

  /// Adds a block of the span at `granule`. False when the batch is for another span, or when the block would fill it.
  @inline(__always)
  mutating func push(_ block: FreeBlock, granule: UInt32) -> Bool {
    var header = header
    guard header.granule == granule, header.room > 1 else { return false }
    push(block, &header)
    return true
  }

  @inline(__always)
  private mutating func push(_ block: FreeBlock, _ header: inout Header) {
    let before = first
    if before == 0 { header.lastStep = UInt16(truncatingIfNeeded: block.address >> 4) & 0xFFF }
    block.next = before
    block.markWord = FreeBlock.mark
    withAtomic(&newest) { $0.store(block.address, ordering: .relaxed) }
    header.blockCount &+= 1
    header.room &-= 1
    self.header = header
  }
}

/// The batches of a heap. The count is a power of two: a granule's number leads to its batch by a mask.
package typealias OutgoingBatches = InlineArray<64, OutgoingBatch>
