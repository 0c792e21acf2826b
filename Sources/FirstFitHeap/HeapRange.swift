import Assertions

// One of the ranges that a heap manages.
//
//   base      first                            top                    end
//   +--------+--------+------+-------+--------+---------------------+
//   | record | block  | hole | block |  block |  the top: free      |
//   +--------+--------+------+-------+--------+---------------------+
//
// The record holds the heap's state of the range. A table of holes may lie between it and the first block. Blocks lie
// without gaps from `first` to `top`, and no two holes touch. The free part at the end is not a hole of the index but
// the top, which may be empty. It is two numbers: cutting a block from it, or returning one to it, takes a few
// instructions. `extend` and `truncate` move only `end`.
//
//   first = base + recordByteCount + tableByteCount                   every block start ≡ header (mod granule)
//   first <= top <= end                              the block that ends at the top is in use
//   end - base <= largestRangeByteCount

/// A view of one range of the heap, through the record at its start.
struct HeapRange: Equatable {
  /// The address of the record, a multiple of the granule.
  let base: UInt

  @inline(__always) init(base: UInt) {
    self.base = base
  }

  /// Makes `base..<end` a range that is all free top.
  init(creatingAt base: UInt, end: UInt, next: HeapRange?, search: FirstFitSearch) {
    self.base = base
    let hasTable =
      Self.canHaveTables && search == .table && end &- base >= BlockLayout.leastRangeByteCountWithTable
    self.firstOffset = BlockLayout.recordByteCount + (hasTable ? HoleTable.byteCount(forRangeOf: end &- base) : 0)
    if hasTable { HoleTable(range: self).create(forRangeOf: end &- base) }
    self.top = first
    self.end = end
    self.next = next
    self.rootLink = 0
    self.largestHole = 0
    self.openLink = 0
  }

  /// The start of the lowest block.
  @inline(__always) var first: UInt { base &+ firstOffset }

  /// The end of the highest block, where the free top starts.
  @inline(__always) var top: UInt {
    get { HeapMemory.word(at: base) }
    nonmutating set { HeapMemory.setWord(newValue, at: base) }
  }

  /// The end of the range; it need not be aligned.
  @inline(__always) var end: UInt {
    get { HeapMemory.word(at: base &+ BlockLayout.headerByteCount) }
    nonmutating set { HeapMemory.setWord(newValue, at: base &+ BlockLayout.headerByteCount) }
  }

  /// The next range in address order.
  @inline(__always) var next: HeapRange? {
    get {
      let base = HeapMemory.word(at: base &+ 2 &* BlockLayout.headerByteCount)
      return base == 0 ? nil : HeapRange(base: base)
    }
    nonmutating set { HeapMemory.setWord(newValue?.base ?? 0, at: base &+ 2 &* BlockLayout.headerByteCount) }
  }

  /// The start of the record's 32-bit fields.
  @inline(__always) private var fields: UInt { base &+ 3 &* BlockLayout.headerByteCount }

  /// The link to the root of the index, 0 when there is no hole.
  @inline(__always) var rootLink: UInt32 {
    get { HeapMemory.field(at: fields) }
    nonmutating set { HeapMemory.setField(newValue, at: fields) }
  }

  /// The size of the largest hole in granules, 0 when there is no hole; may be too large while a node is open.
  @inline(__always) var largestHole: UInt32 {
    get { HeapMemory.field(at: fields &+ 4) }
    nonmutating set { HeapMemory.setField(newValue, at: fields &+ 4) }
  }

  /// The link to the index node above which maxima may be too high, 0 when there is none (see HoleTree).
  @inline(__always) var openLink: UInt32 {
    get { HeapMemory.field(at: fields &+ 8) }
    nonmutating set { HeapMemory.setField(newValue, at: fields &+ 8) }
  }

  /// The bytes of the record and the table behind it.
  @inline(__always) private var firstOffset: UInt {
    get { Self.canHaveTables ? UInt(HeapMemory.field(at: fields &+ 12)) : BlockLayout.recordByteCount }
    nonmutating set { HeapMemory.setField(UInt32(truncatingIfNeeded: newValue), at: fields &+ 12) }
  }

  /// The bytes of the table behind the record, 0 without a table.
  var tableByteCount: UInt { firstOffset - BlockLayout.recordByteCount }

  /// Whether tables are compiled in. A build that asks for none is smaller without them.
  @inline(__always) private static var canHaveTables: Bool {
    #if FIRST_FIT_WITHOUT_TABLES
      false
    #else
      true
    #endif
  }

  @inline(__always) var hasTable: Bool { firstOffset != BlockLayout.recordByteCount }

  /// The index of the holes.
  @inline(__always) var holes: HoleIndex { HoleIndex(range: self) }

  /// The tree of the holes that no table, or not only a table, has.
  @inline(__always) var tree: HoleTree { HoleTree(range: self) }

  /// The bytes of the free top that can become blocks.
  @inline(__always) var topByteCount: UInt { (end &- top) & ~(BlockLayout.granuleByteCount &- 1) }

  /// The bytes of the blocks and the top together.
  @inline(__always) var capacityByteCount: UInt { (end &- first) & ~(BlockLayout.granuleByteCount &- 1) }

  /// The header at `block`, whether or not a block starts there.
  @inline(__always) func header(at block: UInt) -> BlockHeader {
    BlockHeader(word: HeapMemory.word(at: block))
  }

  /// The header of the block at `block`, which must exist; ends the process when it was overwritten.
  @inline(__always) func checkedHeader(at block: UInt) -> BlockHeader {
    let header = header(at: block)
    if !header.isSealed(offset: block &- base) {
      fail("heap corrupted, a block's header was overwritten, at", UInt64(block))
    }
    return header
  }

  @inline(__always)
  func setHeader(at block: UInt, byteCount: UInt, isInUse: Bool, belowIsFree: Bool = false) {
    let header = BlockHeader(byteCount: byteCount, isInUse: isInUse, belowIsFree: belowIsFree, offset: block &- base)
    HeapMemory.setWord(header.word, at: block)
  }

  @inline(__always) func setHeader(_ header: BlockHeader, at block: UInt) {
    HeapMemory.setWord(header.word, at: block)
  }

  /// Records in the block at `block`, unless that is the top, whether the block below it is free.
  @inline(__always) func setBelowIsFree(_ isFree: Bool, at block: UInt) {
    if block != top {
      HeapMemory.setWord(checkedHeader(at: block).with(belowIsFree: isFree).word, at: block)
    }
  }
}
