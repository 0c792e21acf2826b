public import Addresses
internal import CLabSystem
internal import Assertions

// How regions begin.

extension MemoryRegion {
  /// Takes address space: inaccessible, without memory behind it, and not charged to the system.
  ///
  /// - Parameters:
  ///   - byteCount: How much; a multiple of 4096 and not 0, else a broken contract.
  ///   - alignment: What the start is a multiple of, in bytes: a power of two from 4096 to 1 GiB, else a broken
  ///     contract.
  public init(reserving byteCount: UInt, alignment: UInt = 4096) throws(ReserveError) {
    self.init(owning: try Self.reserve(byteCount, alignment: alignment), backing: PageBacking(.size4KiB))
  }

  /// Takes address space that can be read and written at once; memory comes with the first write to each page.
  ///
  /// - Parameters:
  ///   - byteCount: How much, rounded up to whole pages of the size asked for; 0 is a broken contract.
  ///   - pages: The page size. 2 MiB and 1 GiB are explicit huge pages from the system's pools, set aside for the
  ///     region at once.
  ///   - acceptsSmaller: Whether the next smaller size will do where the pool is too small, in the end 4 KiB with
  ///     transparent huge pages; ``backing`` says what it came to. Otherwise that throws
  ///     ``ReserveError/hugePages(_:)``.
  public init(committing byteCount: UInt, pages: PageSize = .size4KiB, acceptsSmaller: Bool = true) throws(ReserveError)
  {
    let page = UInt(pages.byteCount)
    require(byteCount > 0, "a region must not be empty")
    require(byteCount <= UInt.max - (page - 1), "a region must fit the address space, found", UInt64(byteCount))
    let wholeByteCount = (byteCount + page - 1) & ~(page - 1)
    let (range, backing) = try Self.map(wholeByteCount, pages, acceptsSmaller: acceptsSmaller)
    self.init(owning: range, backing: backing)
  }

  /// Maps readable and writable memory on pages of `wanted`, or of the largest smaller size that there is.
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
        // The first reason is the one to act on: it is about the size that was asked for.
        if shortfall == nil { shortfall = error }
        size = smaller
      }
    }
    let range = try reserve(byteCount, alignment: UInt(wanted.byteCount))
    // SAFETY: the range is new, and nobody else's.
    let address = unsafe range.start.unsafePointer
    let code = unsafe lab_region_protect(address, byteCount, true, true, false)
    if code != 0 {
      // The failure to report is the first one; giving a whole mapping back does not fail.
      _ = unsafe lab_region_release(address, byteCount)
      let error = SystemError(code)
      throw error == .outOfMemory ? .outOfMemory(byteCount: byteCount) : .refused(error)
    }
    // Only advice: a system without transparent huge pages serves the region all the same.
    if wanted != .size4KiB { _ = unsafe lab_region_advise(address, byteCount, LAB_REGION_HUGE) }
    return (range, PageBacking(wanted: wanted, size: .size4KiB, shortfall: shortfall))
  }

  /// Maps an aligned range without access.
  private static func reserve(_ byteCount: UInt, alignment: UInt) throws(ReserveError) -> AddrRange<VirtAddr> {
    require(byteCount > 0, "a region must not be empty")
    require(byteCount % 4096 == 0, "a region's byte count must be a multiple of 4096, found", UInt64(byteCount))
    require(
      alignment >= 4096 && alignment <= 1 << 30 && alignment.isPowerOfTwo,
      "a region's alignment must be a power of two from 4096 to 1 GiB, found", UInt64(alignment))
    let systemPage = UInt(lab_facts_page_size())
    guard systemPage == 4096 else { throw .pageSizeNotSupported(byteCount: systemPage) }
    var address: UnsafeMutableRawPointer? = nil
    // SAFETY: the result goes to a local.
    let code = unsafe lab_region_reserve(byteCount, alignment, &address)
    guard code == 0 else {
      let slack = alignment - 4096
      throw outOfAddressSpace(byteCount, slack: slack, SystemError(code))
    }
    return unsafe AddrRange(start: VirtAddr(address), byteCount: byteCount)
  }

  /// Why a reservation failed: the process's own limit, if that is it.
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
    var address: UnsafeMutableRawPointer? = nil
    // SAFETY: the result goes to a local.
    let code = unsafe lab_region_map_huge(byteCount, UInt32(size.rawValue), &address)
    guard code != 0 else { return unsafe AddrRange(start: VirtAddr(address), byteCount: byteCount) }
    guard let pool = SystemMemory.hugePagePool(size) else { throw .sizeNotSupported(size) }
    let needed = UInt64(byteCount) / size.byteCount
    guard SystemError(code) == .outOfMemory, pool.freeCount < needed else { throw .refused(size, SystemError(code)) }
    throw .poolTooSmall(size, neededCount: needed, freeCount: pool.freeCount)
  }
}
