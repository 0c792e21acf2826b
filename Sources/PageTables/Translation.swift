public import Addresses

/// Where an address leads, and what may be done there.
@frozen
public struct Translation<Format: PageTableFormat>: Equatable, Sendable {
  /// The physical address.
  public let physical: PhysAddr

  /// The leaf, restricted by the tables above it.
  @usableFromInline let leaf: PageTableEntry

  /// The level of the leaf.
  @usableFromInline let level: Int

  @inlinable init(_ physical: PhysAddr, _ leaf: PageTableEntry, level: Int) {
    self.physical = physical
    self.leaf = leaf
    self.level = level
  }

  /// The size of the mapping that the address lies in.
  @inlinable public var size: PageSize { PageSize(level: level) }

  /// The frame that is mapped there.
  @inlinable public var frame: Page<PhysAddr> { Page(containing: physical, size: size) }

  /// What the processor allows there: at least what the page was mapped with, and reading where the format cannot
  /// withhold it. Tables above that restrict it, which another writer may have made, are taken into account.
  @inlinable public var permissions: MemPerm { Format.permissions(of: leaf) }

  /// Whether the page was used since the mark was last cleared.
  @inlinable public var isAccessed: Bool { Format.isAccessed(leaf) }

  /// Whether the page was written to since the mark was last cleared.
  @inlinable public var isDirty: Bool { Format.isDirty(leaf) }
}
