public import Addresses
public import Assertions

// The mapper of a kernel without a direct map: it reaches the active tables through their recursive entry.
//
// A new table is not visible in the window until it is linked, and from then on a processor may walk it. So it is cleared
// before that, at a page of its own, the *scratch page*, which shows one frame after the other:
//
//     show the frame  →  clear it, write its entry  →  show nothing, flush  →  link
//
// To link first and clear through the window would let a processor walk, and cache, what the frame held before.
//
// The window shows a table at an address that no flush of the mapped pages covers. No operation here unlinks a table, so
// no stale one is ever seen.

/// The active page tables of an x86-64 processor, reached through a recursive entry of their root: single pages.
///
/// It needs no other way to the tables. Each call reads and writes the tables of the address space that the processor
/// runs in, all of whose roots must have the recursive entry:
/// see ``PageTable/addRecursiveEntry(_:)``.
///
/// It takes no lock; its owner does. A kernel that also unlinks tables by other means must flush the window's pages of
/// those tables, or everything. AArch64's table entries lack the access flag and the shareability that a page
/// needs, and RISC-V's map no page at all: there, use a ``PageTable`` with an ``OffsetPhysMapper``.
@frozen
public struct RecursiveTables<Format: X86Format, TLB: TLBInvalidator & ~Copyable>: ~Copyable {
  /// Where the tables are visible.
  public let window: RecursiveWindow<Format>

  /// The largest page that may be mapped: the processor's limit.
  public let largestPage: PageSize

  /// Flushes the scratch page, on every processor that may have cached it.
  public var tlb: TLB

  /// The page at which new tables are cleared.
  @usableFromInline let scratch: Page<VirtAddr>

  /// The active tables.
  ///
  /// - Parameters:
  ///   - window: Where they are visible. Traps unless its entry of the root refers to a table.
  ///   - scratch: A page for this use alone, a multiple of 4 KiB. Traps unless it is unmapped and has a table of level 0,
  ///     for instance since a page beside it is mapped.
  ///   - largestPage: The largest page of the processor, if it differs from the format's.
  ///   - tlb: Flushes the scratch page.
  @inlinable
  public init(
    _ window: RecursiveWindow<Format>, scratch: VirtAddr, largestPage: PageSize = Format.largestPage,
    tlb: consuming TLB
  ) {
    self.window = window
    self.scratch = Page(start: scratch)
    self.largestPage = min(largestPage, Format.largestPage)
    self.tlb = tlb
    let (_, level, entry) = lowestEntry(scratch, downTo: 0)
    require(
      level == 0 && entry == .empty, "a scratch page must be unmapped and have a table, found", UInt64(scratch.raw))
  }

  /// The entry that decides about an address: the one at the target level, or a higher one that is not a table.
  @inlinable
  func lowestEntry(_ address: VirtAddr, downTo target: Int) -> (table: Table, level: Int, entry: PageTableEntry) {
    var level = Format.rootLevel
    while true {
      let table = table(of: address, level: level)
      let entry = table[slotIndex(address, level: level)]
      if level == target || Format.kind(of: entry, level: level) != .table { return (table, level, entry) }
      level -= 1
    }
  }

  /// The table of a level on the path to an address; the entries above it must refer to tables.
  @inlinable
  func table(of address: VirtAddr, level: Int) -> Table { Table(at: window.table(of: address, level: level).start) }

  @inlinable
  func slotIndex(_ address: VirtAddr, level: Int) -> Int { Format.slotIndex(UInt64(address.raw), level: level) }

  /// Whether an address lies in the window, where nothing is mapped but the tables.
  @inlinable
  func isInWindow(_ address: VirtAddr) -> Bool { slotIndex(address, level: Format.rootLevel) == window.index }

  /// The entry that refers to a new table in `frame`, which has one entry, `entry` at `index`.
  @inlinable
  mutating func makeTable(in frame: PhysAddr, with entry: PageTableEntry, at index: Int) -> PageTableEntry {
    let lowest = table(of: scratch.start, level: 0)
    let scratchIndex = slotIndex(scratch.start, level: 0)
    lowest.vacant(at: scratchIndex).make(Format.leafEntry(frame, PageAttributes(.kernelData), level: 0))
    scratch.start.fillWithZeros(byteCount: Format.granule.byteCount)
    Table(at: scratch.start).vacant(at: index).make(entry)
    _ = lowest.break(at: scratchIndex).flush(TLBFlush(scratch), using: &tlb)
    return Format.tableEntry(frame)
  }

  /// Whether the table of a level on the path to an address has no mapping, nor any table below it.
  @inlinable
  func isEmptyTree(_ address: VirtAddr, level: Int) -> Bool {
    let table = table(of: address, level: level)
    let step = UInt(truncatingIfNeeded: Format.slotByteCount(level))
    let start = address.alignedDown(to: step * UInt(Format.entryCount))
    for index in 0..<Format.entryCount {
      switch Format.kind(of: table[index], level: level) {
      case .empty: continue
      case .table where isEmptyTree(start + UInt(index) * step, level: level - 1): continue
      case .table, .leaf, .malformed: return false
      }
    }
    return true
  }
}

extension RecursiveWindow where Format: X86Format {
  /// The entry that opens the window onto the tables of a root, for the kernel alone: user mode sees no table, and none
  /// is executable.
  @inlinable
  public func entry(forRoot root: PhysAddr) -> PageTableEntry {
    let executeDisable = Format.hasExecuteDisable ? X86Bit.executeDisable : 0
    return PageTableEntry(Format.tableEntry(root).bits & ~X86Bit.user | executeDisable)
  }
}

extension PageTable where Format: X86Format {
  /// Makes the tables visible through a window, for ``RecursiveTables``; traps unless the root's entry is empty.
  @inlinable
  public mutating func addRecursiveEntry(_ window: RecursiveWindow<Format>) {
    require(
      rootTable[window.index] == .empty, "a recursive entry must take an empty one's place, found",
      rootTable[window.index].bits)
    rootTable.vacant(at: window.index).link(window.entry(forRoot: root))
  }
}
