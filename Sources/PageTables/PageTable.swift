public import Addresses
public import Assertions
public import MemoryProtocols

/// The page tables of one address space: a tree of tables in frames, as a processor walks it.
///
/// - `PageTable.swift`: its state, creation and destruction.
/// - `+Pages`: ``PageTableOps``, one page at a time.
/// - `+Translate`: the walk.
/// - `+MapRange`, `+UnmapRange`, `+ProtectRange`, `+Share`: ranges, in one walk each.
/// - `+Split`, `+Join`, `+CleanUp`: large pages, and removal of empty tables.
/// - `+Runs`: contiguous and NAPOT entries of adopted tables.
/// - `+Marks`: accessed and dirty.
/// - `+KernelHalf`: the part that all address spaces share.
///
/// Every operation plans before it writes. The plan is a walk that changes nothing: it finds what is in the way and
/// counts the missing tables. Then the tables are allocated, all or none. Only then are entries written, which cannot
/// fail. So an operation that throws leaves the tables and the allocator unchanged.
///
/// Invariants: exactly one entry of one tree refers to each table, except in the kernel half; an entry refers to a
/// table only after that table is fully written; tables are linked without restrictions, so leaves decide; and no entry
/// is overwritten by one that translates differently before the processors have forgotten it (BreakBeforeMake.swift).
///
/// Adopted tables can have a *recursive* entry, which refers to the root and lets a kernel see the tables as pages. A
/// walk follows it as a processor does. No operation changes what lies behind it: a range passes it over, a single page
/// there counts as malformed, and destruction frees the root once.
///
/// Unlinked tables (`+Join`, `+CleanUp`, an unmapped range) are *retired*: a processor may still walk them until the
/// change's ``TLBFlush`` is flushed. Then ``deallocateRetiredTables(_:)`` frees them.
///
/// A page table that goes out of scope leaves its tables in memory, since a processor may be using them and only the
/// owner knows their allocator: destroy it with ``deallocate(_:)``.
@frozen
public struct PageTable<Format: PageTableFormat, Mapper: PhysMapper>: ~Copyable {
  /// The frame of the root table. ``PageTableFormat/rootRegister(_:_:)`` makes of it the value for CR3, TTBR or satp.
  public let root: PhysAddr

  /// How the program reaches the tables.
  public let mapper: Mapper

  /// The largest page that may be mapped: the processor's limit.
  public let largestPage: PageSize

  /// The root table.
  @usableFromInline let rootTable: Table

  /// Unlinked tables that are not yet freed.
  @usableFromInline var retired = TableChain()

  /// Tables without any mapping.
  ///
  /// - Parameters:
  ///   - mapper: How the program reaches the allocator's frames.
  ///   - largestPage: The largest page of the processor, if it differs from the format's.
  ///   - allocator: The allocator of the root; throws ``MapError/frameAllocationFailed`` when it has no frame.
  @inlinable
  public init(
    mapper: Mapper, largestPage: PageSize = Format.largestPage, _ allocator: inout some FrameAllocator & ~Copyable
  ) throws(MapError) {
    guard let frame = allocator.allocate(Format.granule) else { throw .frameAllocationFailed }
    self.init(adopting: frame.start, mapper: mapper, largestPage: largestPage)
    rootTable.start.fillWithZeros(byteCount: Format.granule.byteCount)
  }

  /// Existing tables, such as a boot loader's; traps unless `root` is a multiple of a table's size.
  @inlinable
  public init(adopting root: PhysAddr, mapper: Mapper, largestPage: PageSize = Format.largestPage) {
    require(
      root.isAligned(to: Format.granule.byteCount), "a page table's root must be a multiple of its size, found",
      root.raw)
    require(Format.canHold(root.raw), "a page table's root must lie below the highest frame, found", root.raw)
    self.root = root
    self.mapper = mapper
    self.largestPage = min(largestPage, Format.largestPage)
    self.rootTable = Table(at: mapper.physToVirt(root))
  }

  /// Frees every table, the retired ones too, except those that the kernel half refers to. Frees no mapped frame.
  ///
  /// The tables must no longer be in use by any processor.
  /// - Complexity: O(tables)
  @inlinable
  public consuming func deallocate(_ allocator: inout some FrameAllocator & ~Copyable) {
    for index in 0..<Format.entryCount where !Format.kernelEntries.contains(index) {
      deallocateTree(rootTable[index], level: Format.rootLevel, &allocator)
    }
    retired.deallocate(of: Format.granule, to: &allocator, mapper)
    allocator.deallocate(Page(start: root, size: Format.granule))
  }

  /// Frees the kernel half's tables too: for the last of the address spaces that share it.
  /// - Complexity: O(tables)
  @inlinable
  public consuming func deallocateWithKernelHalf(_ allocator: inout some FrameAllocator & ~Copyable) {
    for index in Format.kernelEntries {
      deallocateTree(rootTable[index], level: Format.rootLevel, &allocator)
    }
    deallocate(&allocator)
  }

  @inlinable
  func deallocateTree(
    _ entry: PageTableEntry, level: Int, _ allocator: inout some FrameAllocator & ~Copyable
  ) {
    guard isOwnTable(entry, level: level) else { return }
    let table = table(entry)
    if level > 1 {
      for index in 0..<Format.entryCount {
        deallocateTree(table[index], level: level - 1, &allocator)
      }
    }
    allocator.deallocate(Page(start: Format.address(in: entry), size: Format.granule))
  }

  /// Frees the retired tables; their changes must have been flushed.
  /// - Complexity: O(retired tables)
  @inlinable
  public mutating func deallocateRetiredTables(_ allocator: inout some FrameAllocator & ~Copyable) {
    retired.deallocate(of: Format.granule, to: &allocator, mapper)
  }

  /// How many tables are retired and not yet freed.
  @inlinable public var retiredTableCount: Int { retired.count }

  /// How many tables the tree has, root and kernel half included, without the retired ones.
  /// - Complexity: O(tables)
  @inlinable
  public var tableCount: Int { tableCount(below: rootTable, level: Format.rootLevel) }

  @inlinable
  func tableCount(below table: Table, level: Int) -> Int {
    if level == 0 { return 1 }
    var count = 1
    for index in 0..<Format.entryCount where isOwnTable(table[index], level: level) {
      count += tableCount(below: self.table(table[index]), level: level - 1)
    }
    return count
  }

  /// Whether an entry refers to a table of the tree below it, and not back to the root, as a *recursive* entry does.
  @inlinable @inline(__always)
  func isOwnTable(_ entry: PageTableEntry, level: Int) -> Bool {
    Format.kind(of: entry, level: level) == .table && Format.address(in: entry) != root
  }

  /// The table that an entry refers to.
  @inlinable @inline(__always)
  func table(_ entry: PageTableEntry) -> Table {
    Table(at: mapper.physToVirt(covered: Format.address(in: entry)))
  }

  /// The entry that refers to a table, and that table, taken from a chain allocated for it and cleared.
  @inlinable
  func takeTable(_ chain: inout TableChain) -> (entry: PageTableEntry, table: Table) {
    guard let frame = chain.pop(mapper) else { fail("a page-table plan must count every table it needs") }
    let table = Table(at: mapper.physToVirt(covered: frame))
    table.start.fillWithZeros(byteCount: Format.granule.byteCount)
    return (Format.tableEntry(frame), table)
  }

  /// The same for a level 0 table, cleared except for the entries of a span, all of which the caller writes.
  @inlinable
  func takeLeafTable(
    _ chain: inout TableChain, toFill span: TableSpan
  ) -> (entry: PageTableEntry, table: Table) {
    guard let frame = chain.pop(mapper) else { fail("a page-table plan must count every table it needs") }
    let table = Table(at: mapper.physToVirt(covered: frame))
    let first = UInt64(truncatingIfNeeded: slotIndex(span.start, level: 0)) * 8
    let end = UInt64(truncatingIfNeeded: slotIndex(span.end - Format.granule.byteCount, level: 0) + 1) * 8
    table.start.fillWithZeros(byteCount: first)
    (table.start + UInt(end)).fillWithZeros(byteCount: Format.granule.byteCount - end)
    return (Format.tableEntry(frame), table)
  }
}
