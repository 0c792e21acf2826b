public import Addresses
public import MemoryProtocols

/// The operations on single pages that every processor's page tables support.
///
/// A table takes no lock; its owner does. Processors may walk the tables meanwhile. An operation that throws leaves the
/// tables and the allocator unchanged.
public protocol PageTableOps: ~Copyable {
  /// The layout of the entries.
  associatedtype Format: PageTableFormat

  /// The frame of the root table.
  var root: PhysAddr { get }

  /// Maps a page to a frame.
  ///
  /// Missing tables come from the allocator. Traps unless the permissions allow something.
  mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ attributes: PageAttributes,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> TLBFlush

  /// Removes a mapping and returns its frame. Empty tables stay.
  mutating func unmap(_ page: Page<VirtAddr>) throws(UnmapError) -> UnmappedFrame

  /// Translates an address.
  func translate(_ address: VirtAddr) throws(TranslationError) -> Translation<Format>

  /// The frame that a page of exactly this size is mapped to.
  func translate(_ page: Page<VirtAddr>) throws(TranslationError) -> Page<PhysAddr>

  /// Changes the permissions of a mapping of exactly this size. Traps unless `permissions` allow something.
  mutating func updatePermissions(_ page: Page<VirtAddr>, _ permissions: MemPerm) throws(MapError) -> TLBFlush
}
