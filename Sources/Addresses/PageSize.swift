/// A page size of a processor. Processors with 4 KiB granules have pages of 4 KiB, 2 MiB and 1 GiB; AArch64 has also
/// granules of 16 KiB, with pages of 16 KiB and 32 MiB, and of 64 KiB, with pages of 64 KiB and 512 MiB.
@frozen
public enum PageSize: UInt8, Comparable, Sendable {
  /// 4 KiB.
  case size4KiB = 12
  /// 16 KiB.
  case size16KiB = 14
  /// 64 KiB.
  case size64KiB = 16
  /// 2 MiB.
  case size2MiB = 21
  /// 32 MiB.
  case size32MiB = 25
  /// 512 MiB.
  case size512MiB = 29
  /// 1 GiB.
  case size1GiB = 30

  /// The size of the page in bytes, which is also its alignment.
  @inlinable public var byteCount: UInt64 { 1 << UInt64(rawValue) }

  /// The alignment of a page of this size in bytes: the same as its size.
  @inlinable public var alignment: UInt64 { byteCount }

  /// The order of a frame of this size: 0 for 4 KiB, 9 for 2 MiB, 18 for 1 GiB.
  @inlinable public var order: FrameOrder { FrameOrder(rawValue - PageSize.size4KiB.rawValue) }

  /// The next smaller size of processors with the same granule, nil for the granule.
  @inlinable public var smaller: PageSize? {
    switch self {
    case .size4KiB, .size16KiB, .size64KiB: nil
    case .size2MiB: .size4KiB
    case .size32MiB: .size16KiB
    case .size512MiB: .size64KiB
    case .size1GiB: .size2MiB
    }
  }

  @inlinable public static func < (left: PageSize, right: PageSize) -> Bool { left.rawValue < right.rawValue }
}
