public import Addresses

// Why an operation on a region failed. Each operation has an error type of its own: it shows a caller what can happen.

/// Why a region could not begin.
public enum ReserveError: Error, Equatable, Sendable {
  /// The process may not use that much address space (RLIMIT_AS).
  case overAddressSpaceLimit(byteCount: UInt, limitByteCount: UInt64, usedByteCount: UInt64)
  /// The address space has no gap of that size, or the process has as many mappings as it may have.
  case outOfAddressSpace(byteCount: UInt)
  /// The system does not promise that much memory.
  case outOfMemory(byteCount: UInt)
  /// The explicit huge pages could not be had, and the caller accepts no smaller ones.
  case hugePages(HugePageShortfall)
  /// The system's base page is not 4 KiB.
  case pageSizeNotSupported(byteCount: UInt)
  /// The system refused for another reason.
  case refused(SystemError)
}

/// Why a part of a region could not be committed.
public enum CommitError: Error, Equatable, Sendable {
  /// The system does not promise that much memory, or the process has as many mappings as it may have.
  case outOfMemory(byteCount: UInt)
  /// The system refused for another reason.
  case refused(SystemError)
}

/// Why memory could not be given back.
public enum DecommitError: Error, Equatable, Sendable {
  /// Some of the part is pinned; unpin it first.
  case pinned(AddrRange<VirtAddr>)
  /// Explicit huge pages can only be given back at once.
  case hugePagesStay(PageSize)
  /// The process has as many mappings as it may have.
  case tooManyMappings
  /// The system refused for another reason.
  case refused(SystemError)
}

/// Why access could not be changed.
public enum ProtectError: Error, Equatable, Sendable {
  /// The system does not promise that much memory, or the process has as many mappings as it may have.
  case outOfMemory(byteCount: UInt)
  /// The system's security policy forbids these permissions.
  case forbidden(MemPerm)
  /// The system refused for another reason.
  case refused(SystemError)
}

/// Why a part could not be pre-faulted.
public enum PrefaultError: Error, Equatable, Sendable {
  /// Memory ran out on the way.
  case outOfMemory(byteCount: UInt)
  /// Some of the part cannot be written, or explicit huge pages ran out; commit it first.
  case notWritable(AddrRange<VirtAddr>)
  /// The system refused for another reason.
  case refused(SystemError)
}

/// Why memory could not be pinned. No page of the part is pinned that was not pinned before.
public enum PinError: Error, Equatable, Sendable {
  /// The process may not pin that much (RLIMIT_MEMLOCK).
  case overLimit(PinShortfall)
  /// Some of the part is not committed and cannot be given memory at once.
  case notCommitted(AddrRange<VirtAddr>)
  /// Memory ran out on the way.
  case outOfMemory(byteCount: UInt)
  /// The system refused for another reason.
  case refused(SystemError)
}

/// What a pin would need, and what the process's limit allows. All figures are in bytes.
public struct PinShortfall: Equatable, Sendable {
  /// How much the pin would have pinned.
  public let wantedByteCount: UInt64
  /// How much the process had pinned already.
  public let pinnedBeforeByteCount: UInt64
  /// How much it may pin in all.
  public let limitByteCount: UInt64
  /// How much of it could have been pinned, in whole pages.
  public let fittingByteCount: UInt64

  /// The shortfall with these figures.
  public init(
    wantedByteCount: UInt64, pinnedBeforeByteCount: UInt64, limitByteCount: UInt64, fittingByteCount: UInt64
  ) {
    self.wantedByteCount = wantedByteCount
    self.pinnedBeforeByteCount = pinnedBeforeByteCount
    self.limitByteCount = limitByteCount
    self.fittingByteCount = fittingByteCount
  }

  /// The smallest `ulimit -l`, in KiB, under which the pin succeeds.
  public var neededLimitKibibytes: UInt64 {
    let (sum, overflow) = wantedByteCount.addingReportingOverflow(pinnedBeforeByteCount)
    return overflow ? UInt64.max >> 10 : sum / 1024 + (sum % 1024 == 0 ? 0 : 1)
  }
}

/// Why memory could not be unpinned.
public enum UnpinError: Error, Equatable, Sendable {
  /// The process has as many mappings as it may have.
  case tooManyMappings
  /// The system refused for another reason.
  case refused(SystemError)
}

/// Why the system did not take advice about transparent huge pages.
public enum HugePageAdviceError: Error, Equatable, Sendable {
  /// The system has no transparent huge pages.
  case notSupported
  /// The process has as many mappings as it may have.
  case tooManyMappings
  /// The system refused for another reason.
  case refused(SystemError)
}

/// Why the system did not say what a region has in memory.
public enum InspectError: Error, Equatable, Sendable {
  /// The system refused: `/proc` may not be mounted.
  case refused(SystemError)
}

/// Why a region could not be given back.
public enum ReleaseError: Error, Equatable, Sendable {
  /// The system refused.
  case refused(SystemError)
}
