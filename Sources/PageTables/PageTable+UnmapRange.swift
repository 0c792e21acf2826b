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
  /// A large page that reaches beyond the range is split, and its part outside stays mapped. Empty tables are retired,
  /// except those of the kernel half that other roots refer to.
  ///
  /// - Parameters:
  ///   - range: The pages to unmap, at multiples of 4 KiB; anything else traps.
  ///   - allocator: The allocator of the tables that splitting takes: at most four, and none when both ends lie between
  ///     two pages.
  ///   - body: Called with each frame that was mapped, in address order. No frame may be used again before the token is
  ///     flushed.
  /// - Throws: ``UnmapError/hugePage`` at the end that lies inside a large page, when the allocator has no frame for
  ///   the table; ``UnmapError/notMapped`` for a page that these tables do not translate.
  /// - Complexity: O(pages); visits no table more than once, except to check the two ends.
  @inlinable
  public mutating func unmap(
    _ range: AddrRange<VirtAddr>, _ allocator: inout some FrameAllocator & ~Copyable,
    _ body: (Page<PhysAddr>) -> Void
  ) throws(RangeError<UnmapError>) -> TLBFlush {
    let span: TableSpan
    do throws(NonCanonical) {
      span = try TableSpan.covering(range, Format.self)
    } catch {
      throw RangeError(.notMapped, at: error.page)
    }
    if span.isEmpty { return span.flush() }
    let count = splitsNeeded(span) { _ in false }
    guard var chain = TableChain.allocate(count, &allocator, mapper) else {
      let isLower = !splitLevels(at: span.start) { _ in false }.isEmpty
      throw RangeError(.hugePage, at: span.page(at: isLower ? span.start : span.end))
    }
    clear(rootTable, level: Format.rootLevel, span, &chain, body)
    return span.flush()
  }

  /// Clears the mappings of a range whose ends no page crosses, without flushing any TLB: for tables that are no
  /// longer in use.
  @inlinable
  mutating func clearTree(_ range: AddrRange<VirtAddr>, _ body: (Page<PhysAddr>) -> Void) {
    do throws(NonCanonical) {
      let span = try TableSpan.covering(range, Format.self)
      var chain = TableChain()
      if !span.isEmpty { clear(rootTable, level: Format.rootLevel, span, &chain, body) }
    } catch {
      fail("a range that is cleared must be one that these tables translate, found", UInt64(range.start.raw))
    }
  }

  @inlinable
  mutating func clear(
    _ table: Table, level: Int, _ span: TableSpan, _ chain: inout TableChain, _ body: (Page<PhysAddr>) -> Void
  ) {
    if level == 0 {
      clearLeaves(table, span, body)
      return
    }
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      switch Format.kind(of: entry, level: level) {
      case .empty: break
      case .malformed: table.store(.empty, at: index)
      case .leaf:
        if slot.isWholeSlot(level: level) {
          table.store(.empty, at: index)
          body(Format.frame(of: entry, level: level))
        } else {
          let below = splitLeaf(entry, level: level, in: table, at: index, &chain)
          clear(below, level: level - 1, slot, &chain, body)
        }
      case .table:
        let below = self.table(entry)
        clear(below, level: level - 1, slot, &chain, body)
        if !isSharedSlot(index, level: level), slot.isWholeSlot(level: level) || isEmptyTable(below) {
          table.store(.empty, at: index)
          retired.push(Format.address(in: entry), mapper)
        }
      }
      at = slot.end
    }
  }

  @inlinable @inline(__always)
  func clearLeaves(_ table: Table, _ span: TableSpan, _ body: (Page<PhysAddr>) -> Void) {
    var index = slotIndex(span.start, level: 0)
    let end = slotIndex(span.end - Format.granule.byteCount, level: 0) + 1
    while index < end {
      let entry = table[index]
      if Format.isPresent(entry) {
        table.store(.empty, at: index)
        if Format.kind(of: entry, level: 0) == .leaf {
          body(Page(containing: Format.address(in: entry), size: Format.granule))
        }
      }
      index += 1
    }
  }
}
