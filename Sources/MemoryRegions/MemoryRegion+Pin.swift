public import Addresses
internal import CLabSystem

// Memory that stays.

/// When pinned pages get their memory.
public enum PinTime: Sendable {
  /// All of them now.
  case atOnce
  /// Each when it is first used.
  case onFault
}

extension MemoryRegion {
  /// Keeps `part`, or all of the region, in memory until it is unpinned: the system never swaps it out.
  ///
  /// All or nothing. Past the process's limit nothing changes, and the error says how much would have fitted. When
  /// memory runs out on the way, the whole part is unpinned again, with what of it was pinned before. Pins do not
  /// nest.
  public borrowing func pin(_ part: AddrRange<VirtAddr>? = nil, when time: PinTime = .atOnce) throws(PinError) {
    let part = checked(part)
    // SAFETY: pinning changes no content.
    let code = unsafe lab_region_pin(part.start.unsafePointer, part.byteCount, time == .onFault)
    guard code != 0 else { return }
    let error = SystemError(code)
    if error == .outOfMemory || error == .notPermitted, let overLimit = overPinLimit(part) { throw overLimit }
    // The system has marked the part and stopped at a page that it could not provide.
    // SAFETY: as above. Failing here means that nothing was marked.
    _ = unsafe lab_region_unpin(part.start.unsafePointer, part.byteCount)
    switch error {
    case .outOfMemory: throw .notCommitted(part)
    case .tryAgain: throw .outOfMemory(byteCount: part.byteCount)
    default: throw .refused(error)
    }
  }

  /// Lets the system swap `part`, or all of the region, out again.
  public borrowing func unpin(_ part: AddrRange<VirtAddr>? = nil) throws(UnpinError) {
    let part = checked(part)
    // SAFETY: unpinning changes no content.
    let code = unsafe lab_region_unpin(part.start.unsafePointer, part.byteCount)
    switch SystemError(code) {
    case .none: return
    case .outOfMemory: throw .tooManyMappings
    case let error: throw .refused(error)
    }
  }

  /// How many bytes of `part`, or of all of the region, are in memory.
  ///
  /// - Complexity: O(pages)
  public borrowing func residentByteCount(_ part: AddrRange<VirtAddr>? = nil) throws(InspectError) -> UInt {
    let part = checked(part)
    var byteCount: UInt = 0
    // SAFETY: the part is mapped, and the result goes to a local.
    let code = unsafe lab_region_resident(part.start.unsafePointer, part.byteCount, &byteCount)
    if code != 0 { throw .refused(SystemError(code)) }
    return byteCount
  }

  /// How many bytes of `part`, or of all of the region, are in memory and will not be swapped out: those that are
  /// pinned, and explicit huge pages, which never are.
  ///
  /// - Complexity: O(pages + mappings of the process); reads `/proc/thread-self/smaps`.
  public borrowing func lockedByteCount(_ part: AddrRange<VirtAddr>? = nil) throws(InspectError) -> UInt {
    let part = checked(part)
    var byteCount: UInt = 0
    // SAFETY: the part is mapped, and the result goes to a local.
    let code = unsafe lab_region_locked(part.start.unsafePointer, part.byteCount, &byteCount)
    if code != 0 { throw .refused(SystemError(code)) }
    return byteCount
  }

  /// The error of a pin that the process's limit forbids, nil when the limit is not what stopped it.
  private borrowing func overPinLimit(_ part: AddrRange<VirtAddr>) -> PinError? {
    guard let limit = SystemMemory.pinLimitByteCount, let use = SystemMemory.pinned, !use.isExempt else { return nil }
    let fits = (limit > use.byteCount ? limit - use.byteCount : 0) & ~4095
    guard fits < part.byteCount else { return nil }
    return .overLimit(
      PinShortfall(
        wantedByteCount: UInt64(part.byteCount), pinnedBeforeByteCount: use.byteCount, limitByteCount: limit,
        fittingByteCount: fits))
  }
}
