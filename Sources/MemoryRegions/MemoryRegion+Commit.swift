public import Addresses

// The access to a region, and the memory behind it.

/// How a part gives its memory back, and what it is afterwards.
public enum Decommit: Sendable {
  /// The memory goes back now. The part can still be read and written, and reads as zeros.
  case atOnce
  /// The memory goes back when the system runs short. Until a page is written again it reads as before or as zeros,
  /// and may turn from the former to the latter. Cheaper than `atOnce` for memory that is soon used again.
  case lazily
  /// The memory goes back now, with the access and the charge: the part is as `init(reserving:)` left it. Its advice
  /// and its placement are gone, too.
  case toReserved
}

extension MemoryRegion {
  /// Makes `part`, or all of the region, readable and writable. Its content stays. Should this throw, some of the part
  /// may be committed.
  public borrowing func commit(_ part: AddrRange<VirtAddr>? = nil) throws(CommitError) {
    let part = checked(part)
    do throws(SystemError) {
      try SystemPages.commit(part.start.raw, byteCount: part.byteCount)
    } catch {
      throw error == .outOfMemory ? .outOfMemory(byteCount: part.byteCount) : .refused(error)
    }
  }

  /// Gives the memory of `part`, or of all of the region, back to the system. Its content is lost.
  ///
  /// A pinned part must be unpinned first. Explicit huge pages take `atOnce` alone. Should this throw, some of the part
  /// may have lost its content.
  public borrowing func decommit(
    _ part: AddrRange<VirtAddr>? = nil, by way: Decommit = .atOnce
  ) throws(DecommitError) {
    let part = checked(part)
    if way != .atOnce, backing.size != .size4KiB { throw .hugePagesStay(backing.size) }
    do throws(SystemError) {
      switch way {
      case .atOnce: try SystemPages.decommit(part.start.raw, byteCount: part.byteCount)
      case .lazily: try SystemPages.advise(part.start.raw, byteCount: part.byteCount, .dropLazily)
      case .toReserved: try SystemPages.reset(part.start.raw, byteCount: part.byteCount)
      }
    } catch {
      switch error {
      case .invalid: throw .pinned(part)
      case .outOfMemory: throw .tooManyMappings
      default: throw .refused(error)
      }
    }
  }

  /// Sets what may be done with `part`, or with all of the region. Should this throw, some of the part may have changed
  /// its access.
  ///
  /// A process runs in user mode: `MemPerm.user` changes nothing here.
  public borrowing func protect(_ part: AddrRange<VirtAddr>? = nil, as permissions: MemPerm) throws(ProtectError) {
    let part = checked(part)
    do throws(SystemError) {
      try SystemPages.protect(part.start.raw, byteCount: part.byteCount, as: permissions)
    } catch {
      switch error {
      case .outOfMemory: throw .outOfMemory(byteCount: part.byteCount)
      case .notPermitted, .noAccess: throw .forbidden(permissions)
      default: throw .refused(error)
      }
    }
  }

  /// Puts memory behind every page of a committed `part`, or of all of the region: no later write waits for the system.
  /// The content stays. Should this throw, some of the pages may have memory.
  ///
  /// - Complexity: O(pages)
  public borrowing func prefault(_ part: AddrRange<VirtAddr>? = nil) throws(PrefaultError) {
    let part = checked(part)
    do throws(SystemError) {
      try SystemPages.prefault(part.start.raw, byteCount: part.byteCount)
    } catch {
      switch error {
      case .outOfMemory: throw .outOfMemory(byteCount: part.byteCount)
      case .badAddress: throw .notWritable(part)
      default: throw .refused(error)
      }
    }
  }

  /// Lets the system back `part`, or all of the region, with transparent huge pages, or forbids it. Should this throw,
  /// some of the part may have the advice.
  public borrowing func useTransparentHugePages(
    _ uses: Bool, in part: AddrRange<VirtAddr>? = nil
  ) throws(HugePageAdviceError) {
    let part = checked(part)
    do throws(SystemError) {
      try SystemPages.advise(part.start.raw, byteCount: part.byteCount, uses ? .useHugePages : .avoidHugePages)
    } catch {
      switch error {
      case .invalid: throw .notSupported
      case .outOfMemory: throw .tooManyMappings
      default: throw .refused(error)
      }
    }
  }
}
