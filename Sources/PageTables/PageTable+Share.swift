public import Addresses
public import Assertions
public import MemoryProtocols

// Sharing mappings with another tree of tables: the page-table half of a fork.
//
// The plan counts the tables that the child needs, over several ranges in ascending order: one per slot in which the
// parent has a table or a large page to split, counted once even if two ranges meet in it. Private pages lose their
// write permission in both trees and get one more holder. Private large pages are split first, frame and all: each
// holder of a frame then maps it with the same size. Everything else is copied unchanged.

/// How many tables a fork needs, counted before anything is written.
@frozen
@usableFromInline
struct SharePlan {
  @usableFromInline var tableCount = 0
  /// How many large pages are split.
  @usableFromInline var splitCount = 0
  /// The last slot of each level for which the child's table was counted.
  @usableFromInline var lastSlots = InlineArray<5, UInt64>(repeating: .max)

  @inlinable init() {}

  /// Counts the child's table for a slot, unless it was the last one counted.
  @inlinable
  mutating func countTable(at: UInt64, level: Int) {
    let slot = at >> (12 + 9 * UInt64(truncatingIfNeeded: level))
    if lastSlots[level] != slot {
      lastSlots[level] = slot
      tableCount += 1
    }
  }
}

extension PageTable {
  /// Counts the tables that the child needs for a span.
  @inlinable
  func planShare(_ table: Table, level: Int, _ span: TableSpan, isPrivate: Bool, _ plan: inout SharePlan) {
    if level == 0 { return }
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let entry = table[slotIndex(at, level: level)]
      switch Format.kind(of: entry, level: level) {
      case .empty, .malformed: break
      case .table:
        plan.countTable(at: at, level: level)
        planShare(self.table(entry), level: level - 1, slot, isPrivate: isPrivate, &plan)
      case .leaf:
        if isPrivate {
          require(level == 1, "a private page must be 4 KiB or 2 MiB, found another at", at)
          plan.countTable(at: at, level: level)
          plan.tableCount += 1
          plan.splitCount += 1
        }
      }
      at = slot.end
    }
  }

  /// Shares a span with a child's tables, which hold nothing there yet and which no processor uses.
  @inlinable
  func share(
    _ table: Table, with child: Table, level: Int, _ span: TableSpan, isPrivate: Bool, _ chain: inout TableChain,
    _ frames: inout some FrameReferenceCounts & FrameSplitting & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    if level == 0 {
      shareLeaves(table, with: child, span, isPrivate: isPrivate, &frames)
      return
    }
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      switch Format.kind(of: entry, level: level) {
      case .empty, .malformed: break
      case .leaf:
        if isPrivate {
          frames.split(Format.frame(of: entry, level: level), into: Format.pageSize(level: level - 1))
          let below = splitLeaf(entry, level: level, in: table, at: index, slot, &chain, &tlb)
          let childBelow = childTable(child, level: level, slot, at: index, &chain)
          share(below, with: childBelow, level: level - 1, slot, isPrivate: true, &chain, &frames, &tlb)
        } else {
          child.vacant(at: index).make(entry)
        }
      case .table:
        let childBelow = childTable(child, level: level, slot, at: index, &chain)
        share(
          self.table(entry), with: childBelow, level: level - 1, slot, isPrivate: isPrivate, &chain, &frames, &tlb)
      }
      at = slot.end
    }
  }

  /// The child's table in a slot, created unless it exists.
  @inlinable
  func childTable(
    _ child: Table, level: Int, _ slot: TableSpan, at index: Int, _ chain: inout TableChain
  ) -> Table {
    if Format.kind(of: child[index], level: level) == .table { return table(child[index]) }
    let (entry, table) = level == 1 ? takeLeafTable(&chain, toFill: slot) : takeTable(&chain)
    child.vacant(at: index).link(entry)
    return table
  }

  /// Withdraws the write permission of the leaf at an index; returns it as changed.
  @inlinable @inline(__always)
  func withdrawWrite(from leaf: PageTableEntry, in table: Table, at index: Int) -> PageTableEntry {
    if !Format.marksAreSeparate {
      return Format.withoutWrite(table.change(leaf, at: index) { Format.withoutWrite($0) })
    }
    // Here withdrawing clears bits, always the same: one instruction.
    table.clear(bits: ~Format.withoutWrite(PageTableEntry(.max)).bits, at: index)
    return Format.withoutWrite(leaf)
  }

  /// Writes every entry of the span in the child's table: a new table need not be cleared there.
  @inlinable @inline(never)
  func shareLeaves(
    _ table: Table, with child: Table, _ span: TableSpan, isPrivate: Bool,
    _ frames: inout some FrameReferenceCounts & ~Copyable
  ) {
    let first = slotIndex(span.start, level: 0)
    let count = slotIndex(span.end - Format.granule.byteCount, level: 0) + 1 - first
    // From here on, entry 0 is the first of the span.
    let table = Table(at: table.start + UInt(first) * 8)
    let child = Table(at: child.start + UInt(first) * 8)
    if !isPrivate {
      for index in 0..<count {
        child.vacant(at: index).make(table[index])
      }
      return
    }
    frames.retain(count) { index in
      let entry = table[index]
      guard Format.isPresent(entry) else {
        child.vacant(at: index).make(.empty)
        return nil
      }
      child.vacant(at: index).make(withdrawWrite(from: entry, in: table, at: index))
      return Page(containing: Format.address(in: entry))
    }
  }
}
