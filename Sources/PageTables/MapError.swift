public import Addresses

/// Why a page could not be mapped, or its permissions not be changed. The tables are as they were.
public enum MapError: Error, Equatable, Sendable {
  /// A mapping stands there already, or part of one, or smaller ones.
  case alreadyMapped
  /// No mapping stands there whose permissions could be changed.
  case notMapped
  /// The allocator had no frame for a table.
  case frameAllocationFailed
  /// The format, or the processor it was restricted to, has no pages of this size; or the mapping whose permissions
  /// were to be changed has this size, larger than the page that was named.
  case unsupportedPageSize(PageSize)
  /// The frame does not start at a multiple of the page's size, is smaller than the page, or lies beyond the
  /// physical addresses that an entry can hold.
  case misalignedFrame
  /// The page lies where these tables translate nothing.
  case nonCanonical
  /// The tables hold an entry that no operation writes: something else has written to them.
  case internalError
}

/// Why a page could not be unmapped. The tables are as they were.
public enum UnmapError: Error, Equatable, Sendable {
  /// No mapping stands there; or smaller ones than the page that was named.
  case notMapped
  /// The format, or the processor it was restricted to, has no pages of this size.
  case unsupportedPageSize(PageSize)
  /// A larger mapping stands there than the page that was named; over a range, one that reaches beyond the range
  /// and cannot be split, since the allocator has no frame for the table.
  case hugePage
}

/// Why an address or a page has no translation.
public enum TranslationError: Error, Equatable, Sendable {
  /// No mapping stands there.
  case notMapped
  /// A larger mapping stands there than the page that was asked for.
  case hugePage
}

/// What went wrong with a range, and where: the first page that stood in the way. The tables are as they were.
@frozen
public struct RangeError<Cause: Error & Equatable>: Error, Equatable {
  /// The page.
  public let page: Page<VirtAddr>
  /// What is wrong with it.
  public let cause: Cause

  @inlinable public init(_ cause: Cause, at page: Page<VirtAddr>) {
    self.page = page
    self.cause = cause
  }
}
