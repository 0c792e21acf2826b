public import Addresses
public import Assertions

/// Invalidates translations that processors have cached: INVLPG and inter-processor interrupts on x86-64, DSB and TLBI
/// on AArch64, SFENCE.VMA on RISC-V; a counter in a test.
///
/// Operations call it once for a range, however long. An invalidator decides from which length on it is cheaper to
/// invalidate everything; Linux does so from 33 pages on x86-64.
public protocol TLBInvalidator: ~Copyable {
  /// Invalidates `pageCount` pages of 4 KiB from `start` on, including cached table entries on the path to them. When it
  /// returns, no processor uses them any more.
  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64)

  /// Invalidates everything cached for these tables.
  mutating func invalidateAll()
}

/// The invalidator for tables that no processor uses yet.
@frozen
public struct NoTLB: TLBInvalidator {
  /// An invalidator; it has no state.
  @inlinable public init() {}
  @inlinable public mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) {}
  @inlinable public mutating func invalidateAll() {}
}

/// The obligation to flush a change of page tables from the processors' TLBs.
///
/// Every change returns one. It is consumed by ``flush(using:)``, by ``FlushBatch/add(_:)``, or by ``ignore()`` where
/// no processor can have cached the old entries. A dropped token ends the program with a line that names the page.
///
/// A variable at the top level of a `main.swift` is global: it cannot be consumed, and it is never destroyed, hence the
/// token in it is not missed. Flush a change there in the expression that makes it, or keep it as an optional, out of
/// which `take()` moves it:
///
///     var change: TLBFlush? = try table.updatePermissions(page, .userReadOnly)
///     change.take()?.flush(using: &tlb)
///
/// The same goes for ``UnmappedFrame``, ``MarkChange`` and ``FlushBatch``.
@frozen
public struct TLBFlush: ~Copyable {
  /// The first address whose translation changed.
  public let start: VirtAddr
  /// How many pages of 4 KiB from there on may have changed; 0 when nothing did.
  public let pageCount: UInt64

  @inlinable init(_ start: VirtAddr, pageCount: UInt64) {
    self.start = start
    self.pageCount = pageCount
  }

  @inlinable init(_ page: Page<VirtAddr>) {
    self.init(page.start, pageCount: page.size.order.frameCount)
  }

  /// Flushes the change from the processors' TLBs.
  @inlinable
  public consuming func flush(using tlb: inout some TLBInvalidator & ~Copyable) {
    if pageCount > 0 { tlb.invalidate(start, pageCount: pageCount) }
    discard self
  }

  /// Drops the token: the tables are not in use yet, or nothing was mapped there and the processor does not cache that.
  @inlinable
  public consuming func ignore() {
    discard self
  }

  @inlinable
  deinit {
    if pageCount > 0 { fail("a page-table change must be flushed or ignored, dropped at", UInt64(start.raw)) }
  }
}

/// An unmapped frame that becomes available only after a flush.
@frozen
public struct UnmappedFrame: ~Copyable {
  /// Whether the page was accessed since the mark was last cleared.
  public let isAccessed: Bool
  /// Whether the page was written to since the mark was last cleared.
  public let isDirty: Bool
  @usableFromInline let frame: Page<PhysAddr>
  @usableFromInline let change: TLBFlush

  @inlinable init(_ frame: Page<PhysAddr>, isAccessed: Bool, isDirty: Bool, _ change: consuming TLBFlush) {
    self.isAccessed = isAccessed
    self.isDirty = isDirty
    self.frame = frame
    self.change = change
  }

  /// Flushes the processors' TLBs and returns the frame: nobody can reach it through the old mapping any more.
  @inlinable
  public consuming func flush(using tlb: inout some TLBInvalidator & ~Copyable) -> Page<PhysAddr> {
    let frame = frame
    change.flush(using: &tlb)
    return frame
  }

  /// Returns the frame without a flush: the tables are not in use.
  @inlinable
  public consuming func ignore() -> Page<PhysAddr> {
    let frame = frame
    change.ignore()
    return frame
  }

  /// Moves the obligation to flush into a batch. The frame may be used again once the batch is flushed.
  @inlinable
  public consuming func flush(with batch: inout FlushBatch) -> Page<PhysAddr> {
    let frame = frame
    batch.add(change)
    return frame
  }
}
