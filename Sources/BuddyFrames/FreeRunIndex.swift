import Addresses

// Which frames are free, and where the lowest run of an order is.
//
// The set of free frames determines the state of a binary buddy that merges at once: its blocks are the largest aligned
// runs of free frames. So nothing here stores blocks or lists of them. The set is a bitmap. A search also needs to
// know, for every order k and every piece of memory, whether the piece holds an aligned free run of 2^k frames. Those
// are bits too, sixty-four pieces to a word:
//
//   level 0: a word for each 64 frames; bit i is frame i of the piece, set when it is in use
//   level L: a node for each 64^(L+1) frames, that is for 64 pieces of level L-1 (16 MiB, 1 GiB, 64 GiB, 4 TiB …);
//            one word for each order k = 0 … min(6L, 18); bit i is set when piece i holds no free run of order k
//
// Word 6L of a level L node says which pieces are not wholly free. It is to units of 64^L frames what a level 0 word is
// to frames: the three words at levels 0, 1 and 2 hold all of the orders 0 to 17, six each, and word 18 of level 3
// holds order 18. Splitting 1 GiB down to one frame sets one bit in each of four words.
//
// Invariants, where none(L, i, k) is bit i of word k and pieces are numbered through the whole level:
//
//   none(L, i, k) = every bit of word k is set in node i of level L-1            for k < 6(L-1)
//   none(L, i, k) = no aligned zero run of 2^(k-6(L-1)) bits is in word 6(L-1)
//                   of node i of level L-1 (the word itself for L = 1)           for 6(L-1) <= k < 6L
//   none(L, i, 6L) = that word is not 0
//   none(L, i, k) implies none(L, i, k+1)
//
// except below a block taken as a whole, whose words keep the zeros from when it was free. Taking a block of 64^L
// frames or more only sets bits in level L nodes, and giving it back only clears them. One note may also be
// outstanding: see `FreeRunIndex+Cursor.swift`.
//
// Three things follow. One count of trailing zeros per level finds the lowest free run of an order: exactly the lowest
// address, at a cost that depends neither on the size of the memory nor on what is in use. Taking or giving back one
// frame changes the largest free order of a piece by at most one, hence at most one bit per level. And zeroed memory is
// the index of a wholly free range: starting costs nothing, and untouched parts of a lazily committed table stay
// untouched.
//
// The buddy system: Knowlton 1965; Knuth, TAOCP volume 1, 2.5. Lowest address first keeps fragmentation low: Wilson,
// Johnstone, Neely and Boles 1995; Johnstone and Wilson 1998. Trees of words searched by a bit scan are van Emde Boas'
// idea with the machine word as fan-out.
//
// Arithmetic here uses wrapping operators (&+, &-, &<<) but cannot wrap: frame numbers are below 2^42, positions in a
// word below 64, orders below 19, and every address lies in the table.

/// The free frames of a range, by number, and the lowest free run of each order.
///
/// A handle to memory that its holder owns: copies share it.
struct FreeRunIndex {
  /// The address that word 0 of level 0 would have.
  let level0: UInt
  /// The address that node 0 of level 1 would have.
  let level1: UInt
  /// The address of node 0 of level 2.
  let level2: UInt
  /// The address of the table, which begins with the counts, the addresses of the levels above 2 and the top node.
  let table: UInt

  /// The index with `layout` in a table at `table`.
  init(layout: FrameTableLayout, table: VirtAddr) {
    let start = table.raw
    // The subtractions may wrap where the range starts far above the origin; the additions of an index wrap back.
    level0 = start &+ UInt(truncatingIfNeeded: layout.level0 &- (layout.firstFrame >> 6) << 3)
    level1 = start &+ UInt(truncatingIfNeeded: layout.level1 &- (layout.firstFrame >> 12) << 6)
    level2 = start &+ UInt(truncatingIfNeeded: layout.level2)
    self.table = start
  }

  /// Initialises a fresh table of zeros: the frames of `layout` exist and are all free.
  ///
  /// - Complexity: O(1): at most 19 words for each level above 2, and the edges of the range.
  func start(layout: FrameTableLayout) {
    setWord(at: table + FrameTableLayout.topLevel, to: UInt64(layout.topLevel))
    setWord(at: table + FrameTableLayout.ones, to: ~0)
    cursor = unknownCursor
    noteWord = FreeRunIndex.noNote
    for level in 3...layout.topLevel {
      let address = table + FrameTableLayout.upperLevels + UInt(level - 3) << 3
      setWord(at: address, to: UInt64(table) + layout.upperLevels[level - 3])
    }
    // Exclude the pieces past the end that a node of level 3 and up has bits for.
    for level in 3...layout.topLevel {
      let pieceCount = level == 3 ? layout.gibibyteCount : layout.nodeCount(level: level - 1)
      let lastNode = UInt(truncatingIfNeeded: layout.nodeCount(level: level) - 1)
      let pieceCountInLast = pieceCount - UInt64(lastNode) << 6
      guard pieceCountInLast < 64 else { continue }
      for order in 0...18 {
        setWord(at: upperWord(level: level, node: lastNode, order: UInt(order)), to: ~0 << pieceCountInLast)
      }
    }
  }

  // MARK: Words

  /// The word at `address`.
  @inline(__always)
  func word(at address: UInt) -> UInt64 {
    // SAFETY: the functions below compute every address from a frame number of the range. It is therefore the address
    // of a word in the table that the index's owner provided.
    unsafe UnsafePointer<UInt64>(bitPattern: address).unsafelyUnwrapped.pointee
  }

  /// Sets the word at `address`.
  @inline(__always)
  func setWord(at address: UInt, to value: UInt64) {
    // SAFETY: as for `word(at:)`.
    unsafe UnsafeMutablePointer<UInt64>(bitPattern: address).unsafelyUnwrapped.pointee = value
  }

  /// The address of the word that holds the frames 64 · `index` … 64 · `index` + 63.
  @inline(__always)
  func frameWord(_ index: UInt) -> UInt { level0 &+ index &<< 3 }

  /// The address of word `order` of a node of level 1.
  @inline(__always)
  func level1Word(node: UInt, order: UInt) -> UInt { level1 &+ node &<< 6 &+ order &<< 3 }

  /// The address of word `order` of a node of level 2.
  @inline(__always)
  func level2Word(node: UInt, order: UInt) -> UInt { level2 &+ node &<< 7 &+ order &<< 3 }

  /// The address of word `order` of a node of level 3 or above.
  @inline(__always)
  func upperWord(level: Int, node: UInt, order: UInt) -> UInt {
    let start = word(at: table &+ FrameTableLayout.upperLevels &+ UInt(bitPattern: level &- 3) &<< 3)
    return UInt(truncatingIfNeeded: start) &+ node &<< 8 &+ order &<< 3
  }

  /// The address of word `order` of the single node of the top level.
  @inline(__always)
  func topWord(order: UInt) -> UInt { table &+ FrameTableLayout.topNode &+ order &<< 3 }

  /// The level with a single node, 3 to 6.
  @inline(__always)
  var topLevel: Int { Int(truncatingIfNeeded: word(at: table &+ FrameTableLayout.topLevel)) }

  /// The address of word `order` of the node of `level`, 1 or above.
  @inline(__always)
  func nodeWord(level: Int, node: UInt, order: UInt) -> UInt {
    switch level {
    case 1: level1Word(node: node, order: order)
    case 2: level2Word(node: node, order: order)
    default: upperWord(level: level, node: node, order: order)
    }
  }
}
