public import Addresses

// Pinning, and what a region has in memory.

/// When pinned pages get their memory.
public enum PinTime: Sendable {
  /// All of them now.
  case atOnce
  /// Each when it is first used.
  case onFault
}

extension MemoryRegion {
  /// Keeps `part`, or all of the region, in memory until it is unpinned: the system never swaps it out. Pins do not
  /// nest.
  ///
  /// Where the process's limit forbids the pin, nothing changes, and the error says how much would have fitted. After
  /// any other error no page of the part is pinned, not even one that was pinned before.
  /// - Complexity: O(pages)
  public borrowing func pin(_ part: AddrRange<VirtAddr>? = nil, when time: PinTime = .atOnce) throws(PinError) {
    let part = checked(part)
    do throws(SystemError) {
      try SystemPages.pin(part.start.raw, byteCount: part.byteCount, onFault: time == .onFault)
    } catch {
      if error == .outOfMemory || error == .notPermitted, let overLimit = overPinLimit(part) { throw overLimit }
      // The system has marked the part and stopped at a page that it could not provide. Where it refuses this as well,
      // it has marked nothing.
      try? SystemPages.unpin(part.start.raw, byteCount: part.byteCount)
      switch error {
      case .outOfMemory: throw .notCommitted(part)
      case .tryAgain: throw .outOfMemory(byteCount: part.byteCount)
      default: throw .refused(error)
      }
    }
  }

  /// Lets the system swap `part`, or all of the region, out again. Should this throw, some of the part may be unpinned.
  ///
  /// - Complexity: O(pages)
  public borrowing func unpin(_ part: AddrRange<VirtAddr>? = nil) throws(UnpinError) {
    let part = checked(part)
    do throws(SystemError) {
      try SystemPages.unpin(part.start.raw, byteCount: part.byteCount)
    } catch {
      throw error == .outOfMemory ? .tooManyMappings : .refused(error)
    }
  }

  /// How many bytes of `part`, or of all of the region, are in memory.
  ///
  /// - Complexity: O(pages)
  public borrowing func residentByteCount(_ part: AddrRange<VirtAddr>? = nil) throws(InspectError) -> UInt {
    let part = checked(part)
    do throws(SystemError) {
      return try SystemPages.residentByteCount(part.start.raw, byteCount: part.byteCount)
    } catch {
      throw .refused(error)
    }
  }

  /// How many bytes of `part`, or of all of the region, are in memory and will not be swapped out: pinned pages, and
  /// explicit huge pages, which are never swapped out.
  ///
  /// - Complexity: O(pages + mappings of the process); reads `/proc/thread-self/smaps`.
  public borrowing func lockedByteCount(_ part: AddrRange<VirtAddr>? = nil) throws(InspectError) -> UInt {
    let part = checked(part)
    do throws(SystemError) {
      return try SystemPages.lockedByteCount(part.start.raw, byteCount: part.byteCount)
    } catch {
      throw .refused(error)
    }
  }

  /// The error of a pin that the process's limit forbids; nil when the limit did not stop the pin.
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
