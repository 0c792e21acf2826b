public import Addresses
public import Assertions
public import MemoryProtocols

// Unmapping a range.
//
// The plan looks only at the two boundaries: only there can a large page reach beyond the range and need a split. The
// walk then clears the mappings, hands each frame to the caller, and unlinks every table that becomes empty. Those are
// retired and not freed, since a processor may have cached the path through them.

extension PageTable {
  /// Unmaps everything in a range, which may have holes.
  ///
  /// A large page that reaches beyond the range is split, and its part outside stays mapped; so is a run that has a page
  /// in the range. Empty tables are retired, except those of the kernel half that other roots refer to. Until the flush,
  /// nothing may be mapped there again.
  ///
  /// - Parameters:
  ///   - range: The pages to unmap, at multiples of the smallest page; anything else traps.
  ///   - allocator: The allocator of the tables that splitting takes: at most four, and none when both ends lie between
  ///     two pages.
  ///   - tlb: Flushed for the pages that are split. The token that is returned is for the range.
  ///   - body: Called with each former mapping, in address order, with all its marks. No frame may be used again before
  ///     the token is flushed.
  /// - Throws: ``UnmapError/hugePage`` at the end that lies inside a large page, when the allocator has no frame for
  ///   the table; ``UnmapError/notMapped`` for a page that these tables do not translate.
  /// - Complexity: O(pages); visits no table more than once, except to check the two ends.
  @inlinable
  public mutating func unmap(
    _ range: AddrRange<VirtAddr>, _ allocator: inout some FrameAllocator & ~Copyable,
    _ tlb: inout some TLBInvalidator & ~Copyable, _ body: (Translation<Format>) -> Void
  ) throws(RangeError<UnmapError>) -> TLBFlush {
    let span: TableSpan
    do throws(NonCanonical) {
      span = try TableSpan.covering(range, Format.self)
    } catch {
      throw RangeError(.notMapped, at: error.page)
    }
    if span.isEmpty { return span.flush() }
    let count = splitsNeeded(span) { _ in false }
    guard var chain = TableChain.allocate(count, of: Format.granule, &allocator, mapper) else {
      let isLower = !splitLevels(at: span.start) { _ in false }.isEmpty
      throw RangeError(.hugePage, at: span.page(at: isLower ? span.start : span.end))
    }
    clear(rootTable, level: Format.rootLevel, span, &chain, &tlb, body)
    return span.flush()
  }

  /// Clears the mappings of a range whose ends no page crosses, without flushing any TLB: for tables that are no
  /// longer in use.
  @inlinable
  mutating func clearTree(_ range: AddrRange<VirtAddr>, _ body: (Page<PhysAddr>) -> Void) {
    var tlb = NoTLB()
    do throws(NonCanonical) {
      let span = try TableSpan.covering(range, Format.self)
      var chain = TableChain()
      if !span.isEmpty { clear(rootTable, level: Format.rootLevel, span, &chain, &tlb) { body($0.frame) } }
    } catch {
      fail("a range that is cleared must be one that these tables translate, found", UInt64(range.start.raw))
    }
  }

  @inlinable
  mutating func clear(
    _ table: Table, level: Int, _ span: TableSpan, _ chain: inout TableChain,
    _ tlb: inout some TLBInvalidator & ~Copyable, _ body: (Translation<Format>) -> Void
  ) {
    if level == 0 {
      clearLeaves(table, span, &tlb, body)
      return
    }
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      var entry = table[index]
      switch Format.kind(of: entry, level: level) {
      case .empty: break
      case .malformed: table.take(at: index)
      case .table where !isOwnTable(entry, level: level): break
      case .leaf:
        entry = splitRun(of: entry, level: level, in: table, at: index, slot, &tlb)
        if slot.isWholeSlot(level: level) {
          let old = table.take(at: index)
          body(Translation(Format.frame(of: old, level: level).start, old, level: level))
        } else {
          let below = splitLeaf(entry, level: level, in: table, at: index, slot, &chain, &tlb)
          clear(below, level: level - 1, slot, &chain, &tlb, body)
        }
      case .table:
        let below = self.table(entry)
        clear(below, level: level - 1, slot, &chain, &tlb, body)
        if !isSharedSlot(index, level: level), slot.isWholeSlot(level: level) || isEmptyTable(below) {
          table.take(at: index)
          retired.push(Format.address(in: entry), mapper)
        }
      }
      at = slot.end
    }
  }

  @inlinable @inline(__always)
  func clearLeaves(
    _ table: Table, _ span: TableSpan, _ tlb: inout some TLBInvalidator & ~Copyable,
    _ body: (Translation<Format>) -> Void
  ) {
    var index = slotIndex(span.start, level: 0)
    let first = index
    let end = slotIndex(span.end - Format.granule.byteCount, level: 0) + 1
    while index < end {
      let entry = table[index]
      if Format.kind(of: entry, level: 0) == .leaf {
        let at = span.start + UInt64(truncatingIfNeeded: index - first) * Format.granule.byteCount
        _ = splitRun(of: entry, level: 0, in: table, at: index, span.slot(at: at, level: 0), &tlb)
        let old = table.take(at: index)
        body(Translation(Format.address(in: old), old, level: 0))
      } else if Format.isPresent(entry) {
        table.take(at: index)
      }
      index += 1
    }
  }
}
