public import Addresses
public import MemoryProtocols

/// The operations of page tables on single pages: what any processor's tables can do.
///
/// A table is not locked by itself: its owner does. Processors may walk the tables meanwhile. An operation that throws
/// leaves the tables and the allocator as they were.
public protocol PageTableOps: ~Copyable {
  /// The layout of the entries.
  associatedtype Format: PageTableFormat

  /// The frame of the topmost table: what goes into CR3, TTBR or satp.
  var root: PhysAddr { get }

  /// Maps a page to a frame.
  ///
  /// Tables that are missing come from the allocator. Traps unless `permissions` allow something.
  mutating func map(
    _ page: Page<VirtAddr>, to frame: Page<PhysAddr>, _ permissions: MemPerm,
    _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) -> TLBFlush

  /// Takes a mapping away and returns its frame. Tables stay, even when nothing is left in them.
  mutating func unmap(_ page: Page<VirtAddr>) throws(UnmapError) -> UnmappedFrame

  /// Where an address leads.
  func translate(_ address: VirtAddr) throws(TranslationError) -> Translation<Format>

  /// The frame that a page of exactly this size is mapped to.
  func translate(_ page: Page<VirtAddr>) throws(TranslationError) -> Page<PhysAddr>

  /// Changes what a mapping of exactly this size allows. Traps unless `permissions` allow something.
  mutating func updatePermissions(_ page: Page<VirtAddr>, _ permissions: MemPerm) throws(MapError) -> TLBFlush
}
