import Assertions

/// How many free frames a zone keeps back, and for which requests.
///
/// Ordinary requests stop at ``low`` while another zone can serve them, and at ``min`` when none can. The frames below
/// are for requests that must not fail. Falling below ``low`` requests reclaim up to ``high``. The model is Linux
/// (mm/page_alloc.c).
@frozen
public struct FrameWatermarks: Hashable, Sendable {
  /// The frames that only urgent requests may take.
  public let min: UInt64
  /// Below this, other zones serve first and reclaim starts.
  public let low: UInt64
  /// At this, reclaim stops.
  public let high: UInt64

  /// Watermarks of these sizes, in frames; traps unless `min` ≤ `low` ≤ `high`.
  public init(min: UInt64, low: UInt64, high: UInt64) {
    require(min <= low && low <= high, "watermarks must not fall from min to low to high, found min", min)
    self.min = min
    self.low = low
    self.high = high
  }

  /// Watermarks that keep no frames back.
  public static var none: FrameWatermarks { FrameWatermarks(min: 0, low: 0, high: 0) }

  /// Linux's default for a machine whose only zone has `frameCount` frames: `min` is 4 · √(size in KiB) KiB, at least
  /// 128 KiB and at most 256 MiB and a quarter of the zone. `low` is a quarter above `min`, `high` a half.
  public init(forFrames frameCount: UInt64) {
    let kibibytes = FrameWatermarks.squareRoot(of: frameCount * 4 * 16)
    let min = Swift.min(Swift.max(kibibytes, 128), 262_144) / 4
    let capped = Swift.min(min, frameCount / 4)
    self.init(min: capped, low: capped + capped / 4, high: capped + capped / 2)
  }

  /// The share of Linux's default that a zone of `zoneFrameCount` frames has on a machine of `frameCount` frames.
  public init(forFrames zoneFrameCount: UInt64, of frameCount: UInt64) {
    let whole = FrameWatermarks(forFrames: frameCount)
    // Below 2^52 frames and 2^16 frames of the whole: no overflow.
    let min = frameCount == 0 ? 0 : Swift.min(whole.min * zoneFrameCount / frameCount, zoneFrameCount / 4)
    self.init(min: min, low: min + min / 4, high: min + min / 2)
  }

  /// The largest integer whose square is not above `value`.
  private static func squareRoot(of value: UInt64) -> UInt64 {
    var root: UInt64 = 0
    var bit: UInt64 = 1 << 31
    while bit != 0 {
      if (root | bit) * (root | bit) <= value { root |= bit }
      bit >>= 1
    }
    return root
  }
}

/// The urgency of a request: how far below a zone's watermarks it may reach.
@frozen
public enum FrameUrgency: UInt8, Sendable {
  /// Stops at ``FrameWatermarks/min``.
  case ordinary
  /// Cannot wait for reclaim: stops at half of ``FrameWatermarks/min``.
  case urgent
  /// Needed for reclaim itself: may take the last frame.
  case emergency
}
