public import Assertions

// Runs: adjacent leaves that a processor may cache as one, as AArch64's contiguous bit and RISC-V's Svnapot allow. No
// operation makes one, but adopted tables can have them. A walk reads a member of a run like a leaf on its own. A mark
// on any member counts for all, since a processor sets only one. Before a member is changed, the run is split: all
// members are broken, flushed, and made again as leaves on their own.

extension PageTable {
  /// The leaf at an index as one on its own, with the marks of its run.
  @inlinable @inline(__always)
  func lone(_ leaf: PageTableEntry, in table: Table, at index: Int, level: Int) -> PageTableEntry {
    let count = Format.runCount(of: leaf, level: level)
    if _fastPath(count == 1) { return leaf }
    return lone(leaf, of: count, in: table, at: index, level: level)
  }

  @inlinable @inline(never)
  func lone(
    _ leaf: PageTableEntry, of count: Int, in table: Table, at index: Int, level: Int
  ) -> PageTableEntry {
    var marked = Format.alone(leaf, at: index, level: level)
    let first = index & ~(count - 1)
    for member in first..<first + count where isMember(table[member], of: count, level: level) {
      marked = adding(table[member], to: marked)
    }
    return marked
  }

  /// Whether an entry is a leaf of a run of `count`.
  @inlinable
  func isMember(_ entry: PageTableEntry, of count: Int, level: Int) -> Bool {
    Format.kind(of: entry, level: level) == .leaf && Format.runCount(of: entry, level: level) == count
  }

  /// A leaf with the marks of another added to its own.
  @inlinable
  func adding(_ marks: PageTableEntry, to leaf: PageTableEntry) -> PageTableEntry {
    let accessed = PageTableEntry(leaf.bits | marks.bits & Format.accessedBits)
    return Format.isDirty(marks) && !Format.isDirty(leaf) ? Format.leaf(accessed, markedDirty: true) : accessed
  }

  /// Splits the run, if any, of the leaf at an index; returns the leaf as it is now.
  ///
  /// - Parameters:
  ///   - leaf: The leaf as it was last read.
  ///   - slot: The part of a walked span in the leaf's slot.
  @inlinable @inline(__always)
  func splitRun(
    of leaf: PageTableEntry, level: Int, in table: Table, at index: Int, _ slot: TableSpan,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) -> PageTableEntry {
    let count = Format.runCount(of: leaf, level: level)
    if _fastPath(count == 1) { return leaf }
    let first = index & ~(count - 1)
    let start = slot.wholeSlot(level: level).start &- UInt64(truncatingIfNeeded: index - first) * slotByteCount(level)
    let run = slot.part(from: start, to: start + UInt64(truncatingIfNeeded: count) * slotByteCount(level))
    splitRun(of: count, level: level, in: table, at: first, run, &tlb)
    return table[index]
  }

  @inlinable @inline(never)
  func splitRun(
    of count: Int, level: Int, in table: Table, at first: Int, _ run: TableSpan,
    _ tlb: inout some TLBInvalidator & ~Copyable
  ) {
    require(count <= 128, "a run must have at most 128 entries, found", UInt64(truncatingIfNeeded: count))
    var old = InlineArray<128, PageTableEntry>(repeating: .empty)
    var marks = PageTableEntry.empty
    for member in 0..<count where isMember(table[first + member], of: count, level: level) {
      old[member] = table.take(at: first + member)
      marks = marks == .empty ? old[member] : adding(old[member], to: marks)
    }
    run.flush().flush(using: &tlb)
    for member in 0..<count where old[member] != .empty {
      let alone = Format.alone(old[member], at: first + member, level: level)
      table.vacant(at: first + member).make(adding(marks, to: alone))
    }
  }
}
