public import Assertions

// Break before make: a valid entry is never overwritten by another valid one that translates differently.
//
// A processor may cache both the old and the new entry. AArch64 then raises a TLB conflict abort, or mixes the two (Arm
// Architecture Reference Manual, DDI 0487, D8.16.1 "Using break-before-make when updating translation table entries").
// x86-64 and RISC-V use either one until the flush (Intel SDM volume 3A, 4.10.4; RISC-V privileged architecture, 4.2.1
// "Supervisor Memory-Management Fence Instruction"). One processor could then write to a copied page while another
// still reads the original. Therefore, with every format:
//
//     break: the entry becomes absent  →  flush: no processor has it cached  →  make: the new entry
//
// The types keep that order. Only a `VacantEntry` can be made, and a `BrokenEntry` becomes one only by a flush. So
// forgetting the flush does not compile. There are two exceptions, both in Table.swift: `change` keeps the translation,
// and `resize` swaps a large page and the table of its parts, where ``PageTableFormat/canResizeInPlace`` allows it.

/// An entry that no processor uses: it was found empty, with no flush of a former value outstanding, or its table is
/// not reachable yet.
@frozen
@usableFromInline
struct VacantEntry: ~Copyable {
  @usableFromInline let table: Table
  @usableFromInline let index: Int

  @inlinable @inline(__always)
  init(_ table: Table, _ index: Int) {
    self.table = table
    self.index = index
  }
}

/// An entry that was made absent and that processors may still have cached.
@frozen
@usableFromInline
struct BrokenEntry: ~Copyable {
  /// What the entry was, with every mark that a processor set.
  @usableFromInline let old: PageTableEntry
  @usableFromInline let table: Table
  @usableFromInline let index: Int

  @inlinable
  init(_ old: PageTableEntry, _ table: Table, _ index: Int) {
    self.old = old
    self.table = table
    self.index = index
  }

  /// Flushes the entry's addresses from the processors' TLBs, after which another entry can be made.
  @inlinable
  consuming func flush(_ change: consuming TLBFlush, using tlb: inout some TLBInvalidator & ~Copyable) -> VacantEntry {
    change.flush(using: &tlb)
    let vacant = VacantEntry(table, index)
    discard self
    return vacant
  }

  @inlinable
  deinit {
    require(old == .empty, "a broken page-table entry must be flushed, dropped with bits", old.bits)
  }
}

extension Table {
  /// The entry at `index`, which the caller found empty or whose table no processor can reach.
  @inlinable @inline(__always)
  func vacant(at index: Int) -> VacantEntry { VacantEntry(self, index) }

  /// Makes the entry at `index` absent, as the first step of replacing it.
  @inlinable
  func `break`(at index: Int) -> BrokenEntry { BrokenEntry(take(at: index), self, index) }
}
