public import Assertions

/// The size of a run of frames as a power of two: 2^order frames of 4 KiB, from order 0 (4 KiB) to 18 (1 GiB).
@frozen
public struct FrameOrder: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The exponent, 0 to 18.
  public let rawValue: UInt8

  /// The order with the exponent `rawValue`; traps above 18.
  @inlinable public init(_ rawValue: UInt8) {
    require(rawValue <= 18, "a frame order must be 0 to 18, found", UInt64(rawValue))
    self.rawValue = rawValue
  }

  /// One frame of 4 KiB.
  @inlinable public static var min: FrameOrder { FrameOrder(0) }

  /// 1 GiB.
  @inlinable public static var max: FrameOrder { FrameOrder(18) }

  /// How many orders there are: 19.
  @inlinable public static var count: Int { 19 }

  /// How many 4 KiB frames a run of this order has.
  @inlinable public var frameCount: UInt64 { 1 << UInt64(rawValue) }

  /// How many bytes a run of this order has.
  @inlinable public var byteCount: UInt64 { 4096 << UInt64(rawValue) }

  /// The smallest order whose run has at least `frameCount` frames, or nil past order 18 and for 0 frames.
  @inlinable public init?(fitting frameCount: UInt64) {
    guard frameCount > 0, frameCount <= FrameOrder.max.frameCount else { return nil }
    self.init(UInt8(truncatingIfNeeded: UInt64.bitWidth - (frameCount - 1).leadingZeroBitCount))
  }

  @inlinable public static func < (left: FrameOrder, right: FrameOrder) -> Bool { left.rawValue < right.rawValue }
}
