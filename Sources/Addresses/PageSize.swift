/// A page size of processors with 4 KiB granules.
@frozen
public enum PageSize: UInt8, Comparable, Sendable {
  /// 4 KiB.
  case size4KiB = 12
  /// 2 MiB.
  case size2MiB = 21
  /// 1 GiB.
  case size1GiB = 30

  /// The size of the page in bytes, which is also its alignment.
  @inlinable public var byteCount: UInt64 { 1 << UInt64(rawValue) }

  /// The alignment of a page of this size in bytes: the same as its size.
  @inlinable public var alignment: UInt64 { byteCount }

  /// The order of a frame of this size: 0, 9 or 18.
  @inlinable public var order: FrameOrder { FrameOrder(rawValue - PageSize.size4KiB.rawValue) }

  /// The next smaller size, nil for 4 KiB.
  @inlinable public var smaller: PageSize? {
    switch self {
    case .size4KiB: nil
    case .size2MiB: .size4KiB
    case .size1GiB: .size2MiB
    }
  }

  @inlinable public static func < (left: PageSize, right: PageSize) -> Bool { left.rawValue < right.rawValue }
}
