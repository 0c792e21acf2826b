public import Addresses

/// An allocation policy over memory that it is given: what the lab measures, checks and compares.
///
/// A policy receives memory and never maps any; it takes no lock, its owner does. It keeps whatever it needs to
/// know inside that memory or inside itself, and it does not allocate. A new policy is one type that conforms, and
/// one line in the list that the benchmark, the shadow-heap tests and the gate read.
public protocol HeapPolicy: ~Copyable {
  /// A heap over `range`, which is mapped, readable and writable, and nobody else's as long as the heap is used.
  ///
  /// The heap uses the part of the range that its own alignment allows; one too small to use is a full heap.
  init(over range: AddrRange<VirtAddr>)

  /// A block of at least `byteCount` bytes at a multiple of `alignment`, or nil when none fits.
  ///
  /// A block of 0 bytes is a block like any other: it has an address of its own and must be deallocated.
  /// Traps unless `alignment` is a power of two.
  mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr?

  /// Takes back a block that ``allocate(byteCount:alignment:)`` gave out; any other address ends the process.
  mutating func deallocate(_ address: VirtAddr)

  /// Makes a block hold at least `byteCount` bytes without moving it, giving back what it no longer needs.
  ///
  /// - Returns: Whether it could; if not, the block is as it was.
  mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool

  /// How many bytes of the block at `address` its holder may use: at least as many as it asked for.
  func usableByteCount(of address: VirtAddr) -> UInt

  /// Visits every block, in use and free, in address order.
  func forEachBlock(_ body: (HeapBlock) -> Void)

  /// What the heap holds now.
  var statistics: HeapStatistics { get }

  /// The bytes of the blocks in use, as the statistics have them, at no cost that grows with the heap.
  var inUseByteCount: UInt { get }
}

extension HeapPolicy where Self: ~Copyable {
  /// For a heap whose statistics cost little.
  @inlinable public var inUseByteCount: UInt { statistics.usedByteCount }
}

/// A block as ``HeapPolicy/forEachBlock(_:)`` shows it.
@frozen
public struct HeapBlock: Hashable, Sendable {
  /// The bytes it occupies, its header included.
  public let range: AddrRange<VirtAddr>

  /// Whether it can be allocated.
  public let isFree: Bool

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
  /// The highest `usedByteCount` there has been.
  public var peakUsedByteCount: UInt = 0
  /// The bytes from the heap's start to the end of the highest block that was ever in use.
  public var peakExtentByteCount: UInt = 0

  @inlinable public init() {}
}
