public import Addresses
public import Assertions

/// Changes gathered for one flush: up to eight separate ranges, or everything when there are more.
///
/// Each TLB shootdown costs an interrupt, whatever the range; a batch pays it once.
@frozen
public struct FlushBatch: ~Copyable {
  @usableFromInline var starts = InlineArray<8, VirtAddr>(repeating: .null)
  @usableFromInline var pageCounts = InlineArray<8, UInt64>(repeating: 0)
  /// How many separate ranges there are; 9 stands for everything.
  @usableFromInline var rangeCount = 0

  /// An empty batch.
  @inlinable public init() {}

  /// Whether there is nothing to flush.
  @inlinable public var isEmpty: Bool { rangeCount == 0 }

  /// Takes over a change. One that continues the last range extends it.
  @inlinable
  public mutating func add(_ change: consuming TLBFlush) {
    let start = change.start
    let pageCount = change.pageCount
    change.ignore()
    if pageCount == 0 || rangeCount > 8 { return }
    if rangeCount > 0 {
      let last = rangeCount - 1
      if UInt64(starts[last].raw) &+ pageCounts[last] &* 4096 == UInt64(start.raw) {
        pageCounts[last] += pageCount
        return
      }
    }
    if rangeCount < 8 {
      starts[rangeCount] = start
      pageCounts[rangeCount] = pageCount
    }
    rangeCount += 1
  }

  /// Flushes all changes from the processors' TLBs.
  @inlinable
  public consuming func flush(using tlb: inout some TLBInvalidator & ~Copyable) {
    if rangeCount > 8 {
      tlb.invalidateAll()
    } else {
      for index in 0..<rangeCount {
        tlb.invalidate(starts[index], pageCount: pageCounts[index])
      }
    }
    discard self
  }

  /// Drops the changes: no processor uses the tables.
  @inlinable
  public consuming func ignore() {
    discard self
  }

  @inlinable
  deinit {
    if rangeCount > 0 {
      fail("page-table changes must be flushed or ignored, dropped from", UInt64(starts[0].raw))
    }
  }
}
