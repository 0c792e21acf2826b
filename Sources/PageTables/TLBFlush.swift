public import Addresses
public import Assertions

/// What makes processors forget translations that they have cached: INVLPG and inter-processor interrupts on x86-64,
/// DSB and TLBI on AArch64, SFENCE.VMA on RISC-V; a counter in a test.
public protocol TLBInvalidator: ~Copyable {
  /// Forgets what is cached for `pageCount` pages of 4 KiB from `start` on, tables on the way included.
  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64)

  /// Forgets everything that is cached for these tables.
  mutating func invalidateAll()
}

/// The duty to tell the processors of a change to their tables.
///
/// Every change returns one. It is consumed by ``flush(using:)``, by ``FlushBatch/add(_:)``, or by ``ignore()`` where
/// no processor can have cached what was there. A token that is dropped ends the program with a line that
/// names the page.
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

  /// Tells the processors.
  @inlinable
  public consuming func flush(using tlb: inout some TLBInvalidator & ~Copyable) {
    if pageCount > 0 { tlb.invalidate(start, pageCount: pageCount) }
    discard self
  }

  /// Tells nobody: the tables are not in use yet, or nothing was mapped there and the processor does not cache that.
  @inlinable
  public consuming func ignore() {
    discard self
  }

  @inlinable
  deinit {
    if pageCount > 0 { fail("a page-table change must be flushed or ignored, dropped at", UInt64(start.raw)) }
  }
}

/// A frame that was unmapped, and that comes out only once the processors know.
@frozen
public struct UnmappedFrame: ~Copyable {
  @usableFromInline let frame: Page<PhysAddr>
  @usableFromInline let change: TLBFlush

  @inlinable init(_ frame: Page<PhysAddr>, _ change: consuming TLBFlush) {
    self.frame = frame
    self.change = change
  }

  /// Tells the processors, and gives the frame out: from here on nobody can reach it through the old mapping.
  @inlinable
  public consuming func flush(using tlb: inout some TLBInvalidator & ~Copyable) -> Page<PhysAddr> {
    let frame = frame
    change.flush(using: &tlb)
    return frame
  }

  /// Gives the frame out without telling anybody: the tables are not in use.
  @inlinable
  public consuming func ignore() -> Page<PhysAddr> {
    let frame = frame
    change.ignore()
    return frame
  }

  /// Puts the duty to tell the processors into a batch. The frame may be used again once the batch is flushed.
  @inlinable
  public consuming func flush(with batch: inout FlushBatch) -> Page<PhysAddr> {
    let frame = frame
    batch.add(change)
    return frame
  }
}
