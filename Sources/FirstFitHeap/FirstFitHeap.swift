public import Addresses
import Assertions
public import MemoryProtocols

// Address-ordered first fit with immediate coalescing: the textbook policy (Knuth, TAOCP 1, 2.5; Wilson, Johnstone,
// Neely and Boles, "Dynamic Storage Allocation: A Survey and Critical Review", 1995), exactly, in logarithmic time.
//
// A request gets the lowest address at which it fits. It is cut from the front of the hole there. The rest of the hole
// stays free when it can hold a block; otherwise it goes with the block. A freed block merges at once with its free
// neighbours on both sides. So, between any two operations:
//
//   the blocks and the free top of each range cover it without gaps
//   no two free blocks touch
//   used + free = capacity;  holes = nodes of the index;  blocks = headers in use
//
// The heap finds exactly what a walk along the list of holes would find. Only the way differs: an index in the holes, or
// in a table at the start of a range (HoleIndex). It needs no memory but the ranges that the heap was given. A block in
// use costs one word (BlockHeader). Ranges are few and visited one after the other (HeapRange).

/// A first-fit heap over memory that it is given.
///
/// Not thread-safe: its owner locks, as ``LockedHeap`` does. Reading needs the lock too, since ``statistics`` and
/// ``checkConsistency()`` tidy the index up before they read it. The heap holds no pointer to itself and may be moved
/// while in use; the memory stays where it is. There is nothing to tear down: after the heap's last use the memory is
/// its owner's again.
@frozen
public struct FirstFitHeap: ~Copyable, Sendable {
  /// The base of the lowest range, 0 when there is none.
  @usableFromInline var firstBase: UInt

  /// The lowest range; the others follow it in address order.
  @inline(__always) var firstRange: HeapRange? {
    get { firstBase == 0 ? nil : HeapRange(base: firstBase) }
    set { firstBase = newValue?.base ?? 0 }
  }

  /// The bytes of the blocks in use.
  @usableFromInline var usedByteCount: UInt

  /// The highest `usedByteCount` so far.
  @usableFromInline var peakUsedByteCount: UInt

  /// How many blocks are in use.
  @usableFromInline var blockCount: UInt

  /// How many holes the indexes hold: all free blocks except the tops.
  @usableFromInline var indexedHoleCount: UInt

  /// The highest end of any block so far.
  @usableFromInline var highestEnd: UInt

  /// A heap without memory: every request gets nil until ``insert(_:search:)`` gives it a range.
  @_transparent
  public init() {
    firstBase = 0
    usedByteCount = 0
    peakUsedByteCount = 0
    blockCount = 0
    indexedHoleCount = 0
    highestEnd = 0
  }

  /// A heap over `range`, which must be mapped, readable, writable and used by nobody else while the heap is in use.
  ///
  /// The heap uses the part of the range that its alignment allows. A range that is too small makes a full heap.
  /// - Complexity: O(1); touches only the first bytes of the range.
  public init(over range: AddrRange<VirtAddr>) {
    self.init(over: range, search: .tree)
  }

  /// The same, with a choice of how to search the holes of the range.
  /// - Complexity: O(1); touches only the first bytes of the range, and of the parts of a table.
  public init(over range: AddrRange<VirtAddr>, search: FirstFitSearch) {
    self.init()
    insert(range, search: search)
  }
}

extension FirstFitHeap: HeapPolicy {}

// MARK: - Blocks and addresses

/// A block in use, found by its content's address.
struct FoundBlock {
  let range: HeapRange
  /// The start of the block: its header.
  let start: UInt
  let header: BlockHeader

  var end: UInt { start &+ header.byteCount }
}

extension FirstFitHeap {
  /// The range that contains an address, among `first` and its successors.
  @inline(__always) private static func range(containing address: UInt, from first: HeapRange?) -> HeapRange? {
    var range = first
    while let candidate = range {
      if address < candidate.end { return address >= candidate.first ? candidate : nil }
      range = candidate.next
    }
    return nil
  }

  /// The block in use whose content starts at `address`; any other address ends the process.
  @inline(__always) func block(at address: VirtAddr) -> FoundBlock {
    let start = address.raw &- BlockLayout.headerByteCount
    var range = firstRange
    while address.raw & (BlockLayout.granuleByteCount &- 1) == 0, let candidate = range {
      if start < candidate.top {
        guard start >= candidate.first else { break }
        let found = FoundBlock(range: candidate, start: start, header: candidate.header(at: start))
        guard found.header.isSealed(offset: start &- candidate.base), found.header.isInUse else { break }
        return found
      }
      range = candidate.next
    }
    Self.reject(address, firstRange)
  }

  /// Ends the process: `address` does not belong to a block in use.
  @inline(never) private static func reject(_ address: VirtAddr, _ firstRange: HeapRange?) -> Never {
    let value = UInt64(address.raw)
    if address.raw & (BlockLayout.granuleByteCount - 1) != 0 { fail("misaligned pointer given to the heap", value) }
    // No underflow where it matters: no range starts at address 0.
    let start = address.raw &- BlockLayout.headerByteCount
    guard let range = range(containing: start, from: firstRange), start <= range.end - BlockLayout.headerByteCount
    else {
      fail("foreign pointer given to the heap, it lies in none of its ranges", value)
    }
    let header = range.header(at: start)
    if header.isSealed(offset: start - range.base), !header.isInUse {
      fail("pointer to a free block given to the heap (a double free, or use after free)", value)
    }
    fail("no block starts at the pointer given to the heap, or its header was overwritten", value)
  }

  /// How many bytes of the block at `address` its holder may use: at least as many as were requested.
  /// - Complexity: O(1) in one range.
  public func usableByteCount(of address: VirtAddr) -> UInt {
    block(at: address).header.byteCount - BlockLayout.headerByteCount
  }
}
