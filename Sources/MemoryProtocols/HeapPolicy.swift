public import Addresses

/// An allocation policy over memory that it is given: what the lab measures, checks and compares.
///
/// A policy receives memory and never maps any. It takes no lock; its owner does. It keeps its state inside that memory
/// or inside itself, and it does not allocate. A new policy is one conforming type and one line in the list that the
/// benchmark, the shadow-heap tests and the gate read.
public protocol HeapPolicy: ~Copyable {
  /// A heap over `range`, which must be mapped, readable, writable and used by nobody else while the heap is in use.
  ///
  /// The heap uses the part of the range that its alignment allows. A range that is too small makes a full heap.
  init(over range: AddrRange<VirtAddr>)

  /// A block of at least `byteCount` bytes at a multiple of `alignment`, or nil when none fits.
  ///
  /// A block of 0 bytes is a block like any other: it has its own address and must be deallocated.
  /// Traps unless `alignment` is a power of two.
  mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// Deallocates a block that ``allocate(byteCount:alignment:)`` returned; any other address ends the process.
  mutating func deallocate(_ address: VirtAddr)

  /// Resizes a block to at least `byteCount` bytes without moving it, and frees the bytes it no longer needs.
  ///
  /// - Returns: Whether it succeeded; if not, the block is unchanged.
  mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool

  /// How many bytes of the block at `address` its holder may use: at least as many as were requested.
  func usableByteCount(of address: VirtAddr) -> UInt

  /// Visits every block, in use and free, in address order.
  func forEachBlock(_ body: (HeapBlock) -> Void)

  /// What the heap holds now.
  var statistics: HeapStatistics { get }

  /// The bytes of the blocks in use, as ``statistics`` reports them, at a cost that does not grow with the heap.
  var inUseByteCount: UInt { get }
}

extension HeapPolicy where Self: ~Copyable {
  /// The default, for a heap whose statistics are cheap.
  @inlinable public var inUseByteCount: UInt { statistics.usedByteCount }
}

/// A block as ``HeapPolicy/forEachBlock(_:)`` reports it.
@frozen
public struct HeapBlock: Hashable, Sendable {
  /// The bytes of the block, its header included.
  public let range: AddrRange<VirtAddr>

  /// Whether it can be allocated.
  public let isFree: Bool

  /// A block over a range that includes its header.
  @inlinable public init(range: AddrRange<VirtAddr>, isFree: Bool) {
    self.range = range
    self.isFree = isFree
  }
}

/// What a heap holds, in bytes and blocks.
@frozen
public struct HeapStatistics: Hashable, Sendable {
  /// The bytes the heap manages: used plus free.
  public var capacityByteCount: UInt = 0
  /// The bytes of the blocks in use, headers and rounding included.
  public var usedByteCount: UInt = 0
  /// The bytes of the free blocks.
  public var freeByteCount: UInt = 0
  /// The bytes of the largest free block.
  public var largestFreeByteCount: UInt = 0
  /// How many free blocks there are.
  public var holeCount: UInt = 0
  /// How many blocks are in use.
  public var blockCount: UInt = 0
  /// The highest `usedByteCount` so far.
  public var peakUsedByteCount: UInt = 0
  /// The bytes from the heap's start to the highest end of any block so far.
  public var peakExtentByteCount: UInt = 0

  /// What an empty heap without memory holds: nothing.
  @inlinable public init() {}
}
