public import Addresses

#if _pointerBitWidth(_64)
  public import Synchronization
#endif

// The only file that touches the memory of page tables and pages.
//
// A processor's walker reads these tables at any moment, on any core, so entries are loaded and stored whole, as
// atomics. Only one writer works at a time: the owner of the tables locks. The walkers write as well, though only
// accessed and dirty marks. What may happen to an entry that a processor may be using is listed here, and there is
// nothing else:
//
// - `take` empties it, and `break(at:)` does so to make another one in its place: see BreakBeforeMake.swift.
// - `clear` makes it absent, and keeps its other bits for the owner; or it withdraws the write permission.
// - `change` alters permissions, marks and software bits of a leaf, and `flip` bits that no processor sets.
// - `resize` swaps a large page and a table that translate alike.
//
// Each is one atomic read-modify-write, so no mark that a processor sets meanwhile is lost.
//
// The orderings: a leaf says nothing about other memory that a walker reads, so writing one is relaxed. A thread that
// maps a page and passes its address on orders the two by the means of passing (a lock, a release store). Linking a
// table is releasing: the writes to the new table come before the entry that makes it reachable. That pairs with the
// walker's address dependency: no processor reads a table before the entry that refers to it. On x86-64 it is free. On
// AArch64, the barrier that makes the entry visible to the walker itself (DSB ISHST), and on RISC-V the SFENCE.VMA,
// belong to the flush (``TLBInvalidator``).
//
// Where pointers have 32 bits, no processor walks tables with 64-bit entries, and plain accesses suffice.

/// A table in memory that the program can reach: the only access to its bytes.
@frozen
@usableFromInline
struct Table {
  /// The address of entry 0.
  @usableFromInline let start: VirtAddr

  @inlinable @inline(__always) init(at start: VirtAddr) {
    self.start = start
  }

  #if _pointerBitWidth(_64)
    @inlinable @inline(__always)
    func slot(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
      // SAFETY: `start` is the address of a table frame that the mapper covers and the tables' owner holds; an index
      // is one of its entries'. Atomic<UInt64> has the layout of UInt64.
      unsafe start.unsafePointer.assumingMemoryBound(to: Atomic<UInt64>.self) + index
    }

    /// The entry at `index`.
    @inlinable @inline(__always)
    subscript(index: Int) -> PageTableEntry {
      // SAFETY: see `slot`.
      PageTableEntry(unsafe slot(index).pointee.load(ordering: .relaxed))
    }

    /// Empties the entry at `index` and returns it with every mark that a processor has set: none is set afterwards.
    @inlinable @inline(__always) @discardableResult
    func take(at index: Int) -> PageTableEntry {
      // SAFETY: see `slot`.
      PageTableEntry(unsafe slot(index).pointee.exchange(0, ordering: .relaxed))
    }

    /// Clears `bits` of the entry at `index`: those that make it present, or writable.
    @inlinable @inline(__always)
    func clear(bits: UInt64, at index: Int) {
      // SAFETY: see `slot`.
      unsafe slot(index).pointee.bitwiseAnd(~bits, ordering: .relaxed)
    }

    /// Changes the leaf at `index`, which was last read as `entry`, and returns what it was just before.
    ///
    /// `changed` must keep the frame, the size and the memory type. It is called again when a processor has set a mark
    /// meanwhile.
    @inlinable @inline(__always) @discardableResult
    func change(
      _ entry: PageTableEntry, at index: Int, _ changed: (PageTableEntry) -> PageTableEntry
    ) -> PageTableEntry {
      var old = entry
      while true {
        // SAFETY: see `slot`.
        let (isDone, found) = unsafe slot(index).pointee.weakCompareExchange(
          expected: old.bits, desired: changed(old).bits, ordering: .relaxed)
        if isDone { return old }
        old = PageTableEntry(found)
      }
    }

    /// Inverts `bits` of the leaf at `index`, which must be none that a processor sets, nor of its frame.
    @inlinable @inline(__always)
    func flip(bits: UInt64, at index: Int) {
      // SAFETY: see `slot`.
      unsafe slot(index).pointee.bitwiseXor(bits, ordering: .relaxed)
    }

    /// Replaces a large page by a table, or a table by a large page, that translates alike; returns what was there.
    @inlinable
    func resize(to entry: PageTableEntry, at index: Int) -> PageTableEntry {
      // SAFETY: see `slot`. Releasing pairs with the walker's address dependency, as said above.
      PageTableEntry(unsafe slot(index).pointee.exchange(entry.bits, ordering: .releasing))
    }
  #else
    @inlinable @inline(__always)
    func slot(_ index: Int) -> UnsafeMutablePointer<UInt64> {
      // SAFETY: as above.
      unsafe start.unsafePointer.assumingMemoryBound(to: UInt64.self) + index
    }

    @inlinable @inline(__always)
    subscript(index: Int) -> PageTableEntry {
      // SAFETY: see `slot`.
      PageTableEntry(unsafe slot(index).pointee)
    }

    @inlinable @inline(__always) @discardableResult
    func take(at index: Int) -> PageTableEntry { swap(.empty, at: index) }

    @inlinable @inline(__always)
    func clear(bits: UInt64, at index: Int) {
      _ = swap(PageTableEntry(self[index].bits & ~bits), at: index)
    }

    @inlinable @inline(__always) @discardableResult
    func change(
      _ entry: PageTableEntry, at index: Int, _ changed: (PageTableEntry) -> PageTableEntry
    ) -> PageTableEntry {
      swap(changed(self[index]), at: index)
    }

    @inlinable @inline(__always)
    func flip(bits: UInt64, at index: Int) {
      _ = swap(PageTableEntry(self[index].bits ^ bits), at: index)
    }

    @inlinable
    func resize(to entry: PageTableEntry, at index: Int) -> PageTableEntry { swap(entry, at: index) }

    @inlinable @inline(__always)
    func swap(_ entry: PageTableEntry, at index: Int) -> PageTableEntry {
      let old = self[index]
      // SAFETY: see `slot`.
      unsafe slot(index).pointee = entry.bits
      return old
    }
  #endif
}

extension VacantEntry {
  /// Writes a leaf, or an absent entry.
  @inlinable @inline(__always)
  consuming func make(_ entry: PageTableEntry) {
    #if _pointerBitWidth(_64)
      // SAFETY: see `Table.slot`.
      unsafe table.slot(index).pointee.store(entry.bits, ordering: .relaxed)
    #else
      _ = table.swap(entry, at: index)
    #endif
  }

  /// Makes a fully written table reachable.
  @inlinable @inline(__always)
  consuming func link(_ entry: PageTableEntry) {
    #if _pointerBitWidth(_64)
      // SAFETY: see `Table.slot`. Releasing pairs with the walker's address dependency, as said above.
      unsafe table.slot(index).pointee.store(entry.bits, ordering: .releasing)
    #else
      _ = table.swap(entry, at: index)
    #endif
  }
}

extension VirtAddr {
  /// Fills memory with zeros: a table or page that nobody else can reach yet.
  @inlinable
  func fillWithZeros(byteCount: UInt64) {
    // SAFETY: the mapper covers the frame, whose one holder is the caller.
    unsafe unsafePointer.initializeMemory(as: UInt8.self, repeating: 0, count: Int(byteCount))
  }

  /// Whether memory is all zeros; `byteCount` must be a multiple of eight.
  @inlinable
  func isZero(byteCount: UInt64) -> Bool {
    var offset: UInt64 = 0
    while offset < byteCount {
      // SAFETY: the mapper covers the frame, whose one holder is the caller.
      if unsafe unsafePointer.load(fromByteOffset: Int(offset), as: UInt64.self) != 0 { return false }
      offset += 8
    }
    return true
  }

  /// Copies the bytes of another page, which must not overlap this one.
  @inlinable
  func copyBytes(from source: VirtAddr, byteCount: UInt64) {
    // SAFETY: the mapper covers both frames, and the caller holds both, so nobody frees them meanwhile.
    unsafe unsafePointer.copyMemory(from: source.unsafePointer, byteCount: Int(byteCount))
  }
}
