public import Addresses
internal import CLabSystem

// Access, and the memory behind it.

/// How memory is given back, and what a part is afterwards.
public enum Decommit: Sendable {
  /// The memory goes back now. The part can still be read and written, and reads as zeros.
  case atOnce
  /// The memory goes back when the system runs short. Until a page is written again it reads as before or as zeros,
  /// and may change from the one to the other. Cheaper than `atOnce` for memory that is soon used again.
  case lazily
  /// The memory goes back now, and with it the access and the charge: the part is as `init(reserving:)` left it.
  /// Advice and placement that it had are gone, too.
  case toReserved
}

extension MemoryRegion {
  /// Lets `part`, or all of the region, be read and written; what it holds stays.
  public borrowing func commit(_ part: AddrRange<VirtAddr>? = nil) throws(CommitError) {
    let part = checked(part)
    // SAFETY: widening access to memory of our own breaks nobody's.
    let code = unsafe lab_region_protect(part.start.unsafePointer, part.byteCount, true, true, false)
    if code != 0 {
      let error = SystemError(code)
      throw error == .outOfMemory ? .outOfMemory(byteCount: part.byteCount) : .refused(error)
    }
  }

  /// Gives the memory of `part`, or of all of the region, back to the system. What it held is lost.
  ///
  /// A pinned part must be unpinned first. Explicit huge pages take `atOnce` alone.
  public borrowing func decommit(
    _ part: AddrRange<VirtAddr>? = nil, by way: Decommit = .atOnce
  ) throws(DecommitError) {
    let part = checked(part)
    if way != .atOnce, backing.size != .size4KiB { throw .hugePagesStay(backing.size) }
    // SAFETY: the caller gives up what the memory holds.
    let code =
      switch way {
      case .atOnce: unsafe lab_region_advise(part.start.unsafePointer, part.byteCount, LAB_REGION_DROP)
      case .lazily: unsafe lab_region_advise(part.start.unsafePointer, part.byteCount, LAB_REGION_DROP_LAZILY)
      case .toReserved: unsafe lab_region_reset(part.start.unsafePointer, part.byteCount)
      }
    switch SystemError(code) {
    case .none: return
    case .invalid: throw .pinned(part)
    case .outOfMemory: throw .tooManyMappings
    case let error: throw .refused(error)
    }
  }

  /// Sets what may be done with `part`, or with all of the region. The process is user mode: ``MemPerm/user`` changes
  /// nothing here.
  public borrowing func protect(_ part: AddrRange<VirtAddr>? = nil, as permissions: MemPerm) throws(ProtectError) {
    let part = checked(part)
    // SAFETY: what is lost by narrowing is the caller's own access.
    let code = unsafe lab_region_protect(
      part.start.unsafePointer, part.byteCount, permissions.contains(.read), permissions.contains(.write),
      permissions.contains(.execute))
    switch SystemError(code) {
    case .none: return
    case .outOfMemory: throw .outOfMemory(byteCount: part.byteCount)
    case .notPermitted, .noAccess: throw .forbidden(permissions)
    case let error: throw .refused(error)
    }
  }

  /// Puts memory behind every page of a committed `part`, or of all of the region, so that no later write waits for the
  /// system. What the part holds stays; should this throw, some of its pages may have memory by then.
  public borrowing func prefault(_ part: AddrRange<VirtAddr>? = nil) throws(PrefaultError) {
    let part = checked(part)
    // SAFETY: pages keep what they hold.
    let code = unsafe lab_region_prefault(part.start.unsafePointer, part.byteCount)
    switch SystemError(code) {
    case .none: return
    case .outOfMemory: throw .outOfMemory(byteCount: part.byteCount)
    case .badAddress: throw .notWritable(part)
    case let error: throw .refused(error)
    }
  }

  /// Lets the system back `part`, or all of the region, with transparent huge pages, or stops it from doing so.
  public borrowing func useTransparentHugePages(
    _ uses: Bool, in part: AddrRange<VirtAddr>? = nil
  ) throws(HugePageAdviceError) {
    let part = checked(part)
    // SAFETY: advice changes no content.
    let code = unsafe lab_region_advise(
      part.start.unsafePointer, part.byteCount, uses ? LAB_REGION_HUGE : LAB_REGION_NO_HUGE)
    switch SystemError(code) {
    case .none: return
    case .invalid: throw .notSupported
    case .outOfMemory: throw .tooManyMappings
    case let error: throw .refused(error)
    }
  }
}
