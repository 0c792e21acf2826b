public import Addresses

/// The physical address behind a virtual one, and its permissions.
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

  /// The size of the mapping.
  @inlinable public var size: PageSize { Format.pageSize(level: level) }

  /// The mapped frame.
  @inlinable public var frame: Page<PhysAddr> { Page(containing: physical, size: size) }

  /// The accesses that the processor allows: at least those that the page was mapped with, and read where the format
  /// cannot withhold it. Restrictions of tables above, which another writer may have made, are included.
  @inlinable public var permissions: MemPerm { Format.permissions(of: leaf) }

  /// How the processor caches the page; nil for a type of another writer that ``MemoryType`` does not name.
  @inlinable public var memoryType: MemoryType? { Format.memoryType(of: leaf, level: level) }

  /// Whether the translation is the same in every address space.
  @inlinable public var isGlobal: Bool { Format.isGlobal(leaf) }

  /// Whether others can read the memory; see ``PageAttributes/isShared``.
  @inlinable public var isShared: Bool { Format.isShared(leaf) }

  /// Whether the page was accessed since the mark was last cleared.
  @inlinable public var isAccessed: Bool { Format.isAccessed(leaf) }

  /// Whether the page was written to since the mark was last cleared.
  @inlinable public var isDirty: Bool { Format.isDirty(leaf) }
}
