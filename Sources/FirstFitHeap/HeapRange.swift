import Assertions

// One of the ranges that a heap manages.
//
//   base      first                            top                    end
//   +--------+--------+------+-------+--------+---------------------+
//   | record | block  | hole | block |  block |  the top: free      |
//   +--------+--------+------+-------+--------+---------------------+
//
// The record holds what the heap knows of the range. Blocks lie without gaps from `first` to `top`, and no two holes
// touch. What is free at the end is no hole of the index but the top: two numbers, from which a request is cut and to
// which a block goes back in a few instructions; it may be empty. So `extend` and `truncate` move `end` and nothing else.
//
//   first = base + recordByteCount                   every block start ≡ header (mod granule)
//   first <= top <= end                              the block that ends at the top is in use
//   end - base <= largestRangeByteCount

/// A view of one range of the heap, through the record at its start.
struct HeapRange: Equatable {
  /// The address of the record, a multiple of the granule.
  let base: UInt

  @inline(__always) init(base: UInt) {
    self.base = base
  }

  /// Makes `base..<end` a range of one free top.
  init(creatingAt base: UInt, end: UInt, next: HeapRange?) {
    self.base = base
    self.top = first
    self.end = end
    self.next = next
    self.rootLink = 0
    self.largestHole = 0
    self.openLink = 0
  }

  /// Where the lowest block starts.
  @inline(__always) var first: UInt { base &+ BlockLayout.recordByteCount }

  /// Where the highest block ends and the free top starts.
  @inline(__always) var top: UInt {
    get { HeapMemory.word(at: base) }
    nonmutating set { HeapMemory.setWord(newValue, at: base) }
  }

  /// Where the range ends; it need not be aligned.
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

  /// Where the record's fields of 32 bits start.
  @inline(__always) private var fields: UInt { base &+ 3 &* BlockLayout.headerByteCount }

  /// The link to the root of the index, 0 when there is no hole.
  @inline(__always) var rootLink: UInt32 {
    get { HeapMemory.field(at: fields) }
    nonmutating set { HeapMemory.setField(newValue, at: fields) }
  }

  /// The granules of the largest hole below the top, 0 when there is no hole; too many while a node is open.
  @inline(__always) var largestHole: UInt32 {
    get { HeapMemory.field(at: fields &+ 4) }
    nonmutating set { HeapMemory.setField(newValue, at: fields &+ 4) }
  }

  /// The link to the node of the index above which maxima may be too high, 0 when there is none (see HoleTree).
  @inline(__always) var openLink: UInt32 {
    get { HeapMemory.field(at: fields &+ 8) }
    nonmutating set { HeapMemory.setField(newValue, at: fields &+ 8) }
  }

  /// The index of the holes.
  @inline(__always) var holes: HoleTree { HoleTree(range: self) }

  /// The bytes of the free top that blocks can be cut from.
  @inline(__always) var topByteCount: UInt { (end &- top) & ~(BlockLayout.granuleByteCount &- 1) }

  /// The bytes that blocks and the top have together.
  @inline(__always) var capacityByteCount: UInt { (end &- first) & ~(BlockLayout.granuleByteCount &- 1) }

  /// The header of the block at an address; says nothing about whether there is one.
  @inline(__always) func header(at block: UInt) -> BlockHeader {
    BlockHeader(word: HeapMemory.word(at: block))
  }

  /// The header of the block at `block`, where there must be one; ends the process when it was overwritten.
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

  /// Tells the block at `block`, unless that is the top, whether the block below it is free.
  @inline(__always) func setBelowIsFree(_ isFree: Bool, at block: UInt) {
    if block != top {
      HeapMemory.setWord(checkedHeader(at: block).with(belowIsFree: isFree).word, at: block)
    }
  }
}
