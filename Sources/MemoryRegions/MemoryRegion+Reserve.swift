public import Addresses
internal import Assertions

// How a region begins.

extension MemoryRegion {
  /// Reserves address space: it cannot be accessed, has no memory, and is not charged to the system.
  ///
  /// - Parameters:
  ///   - byteCount: The region's size, in bytes. Traps unless it is a multiple of 4096 and not 0.
  ///   - alignment: What the start is a multiple of, in bytes. Traps unless it is a power of two from 4096 to 1 GiB.
  public init(reserving byteCount: UInt, alignment: UInt = 4096) throws(ReserveError) {
    self.init(owning: try Self.reserve(byteCount, alignment: alignment), backing: PageBacking(.size4KiB))
  }

  /// Reserves address space and commits it: it can be read and written, and each page gets memory when it is first
  /// written.
  ///
  /// - Parameters:
  ///   - byteCount: The region's size, in bytes, rounded up to whole pages of the size asked for. Traps for 0, and for
  ///     what the address space cannot hold once it is rounded.
  ///   - pages: The page size. 2 MiB and 1 GiB are explicit huge pages from the system's pools, set aside for the
  ///     region at once.
  ///   - acceptsSmaller: Whether the region takes the next smaller size where the pool is too small, and in the end
  ///     4 KiB with transparent huge pages; ``backing`` says which size it got. Otherwise a pool that is too small
  ///     throws ``ReserveError/hugePages(_:)``.
  public init(committing byteCount: UInt, pages: PageSize = .size4KiB, acceptsSmaller: Bool = true) throws(ReserveError)
  {
    let page = UInt(pages.byteCount)
    require(byteCount > 0, "a region must not be empty")
    require(byteCount <= UInt.max - (page - 1), "a region must fit the address space, found", UInt64(byteCount))
    let wholeByteCount = (byteCount + page - 1) & ~(page - 1)
    let (range, backing) = try Self.map(wholeByteCount, pages, acceptsSmaller: acceptsSmaller)
    self.init(owning: range, backing: backing)
  }

  /// Maps readable and writable memory on pages of the size `wanted`, or of the largest smaller size to be had.
  private static func map(
    _ byteCount: UInt, _ wanted: PageSize, acceptsSmaller: Bool
  ) throws(ReserveError) -> (AddrRange<VirtAddr>, PageBacking) {
    var shortfall: HugePageShortfall? = nil
    var size = wanted
    while let smaller = size.smaller {
      do throws(HugePageShortfall) {
        let range = try mapHuge(byteCount, size)
        return (range, PageBacking(wanted: wanted, size: size, shortfall: shortfall))
      } catch {
        guard acceptsSmaller else { throw .hugePages(error) }
        // The first shortfall is the one to act on: it is about the size that was asked for.
        if shortfall == nil { shortfall = error }
        size = smaller
      }
    }
    let range = try reserve(byteCount, alignment: UInt(wanted.byteCount))
    do throws(SystemError) {
      try SystemPages.commit(range.start.raw, byteCount: byteCount)
    } catch {
      // The first failure is the one to report. Unmapping a whole mapping does not fail.
      try? SystemPages.unmap(range.start.raw, byteCount: byteCount)
      throw error == .outOfMemory ? .outOfMemory(byteCount: byteCount) : .refused(error)
    }
    // Advice only: a region works without transparent huge pages, too.
    if wanted != .size4KiB { try? SystemPages.advise(range.start.raw, byteCount: byteCount, .useHugePages) }
    return (range, PageBacking(wanted: wanted, size: .size4KiB, shortfall: shortfall))
  }

  /// Maps an aligned range that cannot be accessed.
  private static func reserve(_ byteCount: UInt, alignment: UInt) throws(ReserveError) -> AddrRange<VirtAddr> {
    require(byteCount > 0, "a region must not be empty")
    require(byteCount % 4096 == 0, "a region's byte count must be a multiple of 4096, found", UInt64(byteCount))
    require(
      alignment >= 4096 && alignment <= 1 << 30 && alignment.isPowerOfTwo,
      "a region's alignment must be a power of two from 4096 to 1 GiB, found", UInt64(alignment))
    let systemPage = SystemMemory.pageByteCount
    guard systemPage == 4096 else { throw .pageSizeNotSupported(byteCount: systemPage) }
    do throws(SystemError) {
      let start = try SystemPages.reserve(byteCount: byteCount, alignment: alignment)
      return AddrRange(start: VirtAddr(start), byteCount: byteCount)
    } catch {
      throw outOfAddressSpace(byteCount, slack: alignment - 4096, error)
    }
  }

  /// Why a reservation failed. It names the process's own limit where that is the reason.
  private static func outOfAddressSpace(_ byteCount: UInt, slack: UInt, _ error: SystemError) -> ReserveError {
    guard error == .outOfMemory else { return .refused(error) }
    let needed = UInt64(byteCount).addingReportingOverflow(UInt64(slack))
    if let limit = SystemMemory.addressSpaceLimitByteCount, let used = SystemMemory.addressSpaceByteCount,
      needed.overflow || needed.partialValue > limit || used > limit - needed.partialValue
    {
      return .overAddressSpaceLimit(byteCount: byteCount, limitByteCount: limit, usedByteCount: used)
    }
    return .outOfAddressSpace(byteCount: byteCount)
  }

  /// Maps explicit huge pages.
  private static func mapHuge(_ byteCount: UInt, _ size: PageSize) throws(HugePageShortfall) -> AddrRange<VirtAddr> {
    do throws(SystemError) {
      let start = try SystemPages.mapHuge(byteCount: byteCount, pageSize: size)
      return AddrRange(start: VirtAddr(start), byteCount: byteCount)
    } catch {
      guard let pool = SystemMemory.hugePagePool(size) else { throw .sizeNotSupported(size) }
      let needed = UInt64(byteCount) / size.byteCount
      guard error == .outOfMemory, pool.freeCount < needed else { throw .refused(size, error) }
      throw .poolTooSmall(size, neededCount: needed, freeCount: pool.freeCount)
    }
  }
}
