public import Addresses

#if _pointerBitWidth(_64)
  public import Synchronization
#endif

// The only file that touches the memory of page tables and pages.
//
// A processor's walker reads these tables at any moment, on any core, so entries are loaded and stored whole, as
// atomics. Only one writer works at a time: the owner of the tables locks. The orderings:
//
// - `store` is relaxed. A leaf says nothing about other memory that a walker reads. A thread that maps a page and
//   passes its address on orders the two by the means of passing (a lock, a release store).
// - `link` is releasing: the writes to the new table come before the entry that makes it reachable. It pairs with the
//   walker's address dependency: no processor reads a table before the entry that refers to it. On x86-64 it is free.
//   On AArch64, the barrier that makes the entry visible to the walker itself (DSB ISHST), and on RISC-V the
//   SFENCE.VMA, belong to the flush (``TLBInvalidator``).
// - `clear(bits:)` is a read-modify-write, since the walker sets accessed and dirty bits on its own.
//
// Where pointers have 32 bits, no processor walks tables with 64-bit entries, and plain accesses suffice.

/// A table of 512 entries in memory that the program can reach: the only access to its bytes.
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
      // is 0 to 511. Atomic<UInt64> has the layout of UInt64.
      unsafe start.unsafePointer.assumingMemoryBound(to: Atomic<UInt64>.self) + index
    }

    /// The entry at `index`, 0 to 511.
    @inlinable @inline(__always)
    subscript(index: Int) -> PageTableEntry {
      // SAFETY: see `slot`.
      PageTableEntry(unsafe slot(index).pointee.load(ordering: .relaxed))
    }

    /// Writes a leaf or an empty entry at `index`.
    @inlinable @inline(__always)
    func store(_ entry: PageTableEntry, at index: Int) {
      // SAFETY: see `slot`.
      unsafe slot(index).pointee.store(entry.bits, ordering: .relaxed)
    }

    /// Makes a fully written table reachable through the entry at `index`.
    @inlinable @inline(__always)
    func link(_ entry: PageTableEntry, at index: Int) {
      // SAFETY: see `slot`. Releasing pairs with the walker's address dependency, as said above.
      unsafe slot(index).pointee.store(entry.bits, ordering: .releasing)
    }

    /// Clears bits of the entry at `index` without losing any that a walker sets meanwhile.
    @inlinable @inline(__always)
    func clear(bits: UInt64, at index: Int) {
      // SAFETY: see `slot`.
      unsafe slot(index).pointee.bitwiseAnd(~bits, ordering: .relaxed)
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

    @inlinable @inline(__always)
    func store(_ entry: PageTableEntry, at index: Int) {
      // SAFETY: see `slot`.
      unsafe slot(index).pointee = entry.bits
    }

    @inlinable @inline(__always)
    func link(_ entry: PageTableEntry, at index: Int) {
      store(entry, at: index)
    }

    @inlinable @inline(__always)
    func clear(bits: UInt64, at index: Int) {
      store(PageTableEntry(self[index].bits & ~bits), at: index)
    }
  #endif
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
