public import Addresses

/// The pages behind a region: the size asked for, the size it has, and why they differ, if they do.
public struct PageBacking: Equatable, Sendable {
  /// The page size that was asked for.
  public let wanted: PageSize

  /// The page size that the region has: every operation works on whole pages of this size.
  ///
  /// Where it is 4 KiB and a larger size was asked for, the region may use transparent huge pages.
  public let size: PageSize

  /// Why `size` is not `wanted`; nil when it is.
  public let shortfall: HugePageShortfall?

  init(_ size: PageSize) {
    self.init(wanted: size, size: size, shortfall: nil)
  }

  init(wanted: PageSize, size: PageSize, shortfall: HugePageShortfall?) {
    self.wanted = wanted
    self.size = size
    self.shortfall = shortfall
  }
}

/// Why a region could not have explicit huge pages.
public enum HugePageShortfall: Error, Equatable, Sendable {
  /// The system has no pages of this size.
  case sizeNotSupported(PageSize)
  /// The system's pool holds fewer free pages of this size than are needed.
  case poolTooSmall(PageSize, neededCount: UInt64, freeCount: UInt64)
  /// The system refused for another reason.
  case refused(PageSize, SystemError)
}
