public import Addresses
public import Assertions
public import MemoryProtocols

// Unmapping with one flush, however long the range: hide, flush, take.
//
// A frame may be freed only after the flush, and there is no memory to remember thousands of frames in. So the entries
// remember them. Hiding clears the present bit and keeps the rest: of a leaf, or of the entry of a table that lies in
// the range as a whole. After the flush no processor can use what is hidden, nor set a mark in it. A second walk then
// empties the entries, hands the mappings out and frees the tables.
//
// On processors with the L1 terminal fault (CVE-2018-3620), an absent entry's address can be read speculatively. It is
// the owner's own frame until it is taken.

extension PageTable {
  /// Unmaps a span that no page crosses, and flushes it once.
  ///
  /// - Parameters:
  ///   - span: The addresses. No flush of an earlier change there may be outstanding.
  ///   - frames: The allocator of the tables, which are freed as they become empty; passed on to `body`.
  ///   - tlb: Flushed once, unless the span is empty.
  ///   - body: Called with each former mapping, in address order. Its frame is in no processor's TLB any more.
  /// - Complexity: O(pages)
  @inlinable
  mutating func withdraw<Frames: FrameAllocator & ~Copyable>(
    _ span: TableSpan, _ frames: inout Frames, _ tlb: inout some TLBInvalidator & ~Copyable,
    _ body: (Translation<Format>, inout Frames) -> Void
  ) {
    if span.isEmpty { return }
    hide(rootTable, level: Format.rootLevel, span)
    span.flush().flush(using: &tlb)
    takeHidden(rootTable, level: Format.rootLevel, span, &frames, body)
  }

  /// Hides the mappings of a span, each by the highest entry that the span covers as a whole.
  @inlinable
  func hide(_ table: Table, level: Int, _ span: TableSpan) {
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      at = slot.end
      guard Format.isPresent(entry) else { continue }
      if Format.kind(of: entry, level: level) == .table {
        let isShared = isSharedSlot(index, level: level)
        if isShared || !slot.isWholeSlot(level: level) {
          let below = self.table(entry)
          hide(below, level: level - 1, slot)
          if isShared || !isEmptyTable(below) { continue }
        }
      } else {
        require(slot.isWholeSlot(level: level), "no page may cross the end of a span, found one at", slot.start)
      }
      table.clear(bits: Format.presentBit, at: index)
    }
  }

  /// Takes what `hide` has hidden.
  @inlinable
  func takeHidden<Frames: FrameAllocator & ~Copyable>(
    _ table: Table, level: Int, _ span: TableSpan, _ frames: inout Frames,
    _ body: (Translation<Format>, inout Frames) -> Void
  ) {
    var at = span.start
    while at < span.end {
      let slot = span.slot(at: at, level: level)
      let index = slotIndex(at, level: level)
      let entry = table[index]
      at = slot.end
      if Format.isPresent(entry) {
        takeHidden(self.table(entry), level: level - 1, slot, &frames, body)
      } else if entry != .empty {
        release(table.take(at: index), level: level, &frames, body)
      }
    }
  }

  /// Hands out the mappings at and below a taken entry, and frees its tables.
  @inlinable
  func release<Frames: FrameAllocator & ~Copyable>(
    _ hidden: PageTableEntry, level: Int, _ frames: inout Frames, _ body: (Translation<Format>, inout Frames) -> Void
  ) {
    if hidden == .empty { return }
    let entry = PageTableEntry(hidden.bits | Format.presentBit)
    switch Format.kind(of: entry, level: level) {
    case .empty, .malformed: break
    case .leaf: body(Translation(Format.frame(of: entry, level: level).start, entry, level: level), &frames)
    case .table:
      let below = table(entry)
      for index in 0..<Format.entryCount {
        release(below[index], level: level - 1, &frames, body)
      }
      frames.deallocate(Page(start: Format.address(in: entry), size: Format.granule))
    }
  }
}
