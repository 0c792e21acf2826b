public import Addresses

/// What a ``RegionTree`` keeps: a record of an interval of addresses that no other record of the tree overlaps.
public protocol RegionRecord: BitwiseCopyable {
  /// The lowest address that the record keeps others out of.
  var lowest: VirtAddr { get }

  /// The last address that the record keeps others out of; not below ``lowest``.
  var last: VirtAddr { get }

  /// How many bytes the longest free gap inside the interval has: 0 for a record without parts.
  var innerGapByteCount: UInt { get }
}

extension RegionRecord {
  @inlinable public var innerGapByteCount: UInt { 0 }
}

/// What a node says of a node below it.
@frozen
@usableFromInline
struct RegionSubtree: RegionRecord, Equatable {
  /// The lowest address of its first record.
  @usableFromInline var lowest: VirtAddr
  /// The last address of its last record.
  @usableFromInline var last: VirtAddr
  /// The longest gap between two of its records.
  @usableFromInline var innerGapByteCount: UInt
  /// The frame of the node.
  @usableFromInline var node: PhysAddr

  @inlinable
  init(lowest: VirtAddr, last: VirtAddr, innerGapByteCount: UInt, node: PhysAddr) {
    self.lowest = lowest
    self.last = last
    self.innerGapByteCount = innerGapByteCount
    self.node = node
  }
}
