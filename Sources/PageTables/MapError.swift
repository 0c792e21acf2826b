public import Addresses

/// Why a page could not be mapped, or its permissions not changed. The tables are unchanged.
public enum MapError: Error, Equatable, Sendable {
  /// The page, a part of it or a larger page around it is already mapped.
  case alreadyMapped
  /// A large page was to be mapped where a table without any mapping is. Clean up the range first, or map with the TLB:
  /// then the table is replaced.
  case emptyTable
  /// The page is a member of a run of contiguous or NAPOT entries. Split it first, or change a range.
  case partOfRun
  /// There is no mapping whose permissions could be changed.
  case notMapped
  /// The allocator had no frame for a table.
  case frameAllocationFailed
  /// The format, or the processor it was restricted to, has no pages of this size; or the mapping whose permissions
  /// were to change has this size, which is larger than the given page.
  case unsupportedPageSize(PageSize)
  /// The processor cannot enforce these permissions, such as no execution without IA32_EFER.NXE.
  case unsupportedPermissions(MemPerm)
  /// The processor's entries cannot express this memory type, as without Svpbmt.
  case unsupportedMemoryType(MemoryType)
  /// The frame is not a multiple of the page's size, is smaller than the page, or lies beyond the physical addresses
  /// that an entry can hold.
  case misalignedFrame
  /// These tables do not translate the page's address.
  case nonCanonical
  /// The tables hold an entry that no operation writes: something else has written it.
  case internalError
}

/// Why a page could not be unmapped. The tables are unchanged.
public enum UnmapError: Error, Equatable, Sendable {
  /// The page is not mapped, or only by mappings smaller than the given page.
  case notMapped
  /// The format, or the processor it was restricted to, has no pages of this size.
  case unsupportedPageSize(PageSize)
  /// The mapping is larger than the given page, or a run that the page is a member of. For a range: the mapping reaches beyond the range and cannot be split,
  /// since the allocator has no frame for the table.
  case hugePage
}

/// Why an address or a page has no translation.
public enum TranslationError: Error, Equatable, Sendable {
  /// There is no mapping.
  case notMapped
  /// The mapping is larger than the given page.
  case hugePage
}

/// Why an operation on a range failed, and the first page at fault. The tables are unchanged.
@frozen
public struct RangeError<Cause: Error & Equatable>: Error, Equatable {
  /// The page.
  public let page: Page<VirtAddr>
  /// The error at that page.
  public let cause: Cause

  /// An error at a page.
  @inlinable public init(_ cause: Cause, at page: Page<VirtAddr>) {
    self.page = page
    self.cause = cause
  }
}
