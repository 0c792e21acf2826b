/// What a cache may keep.
public enum SlabCacheLimits {
  /// The most full magazines in a cache's depot. Objects beyond them return to their slabs.
  public static var depotMagazineMaximum: UInt { 32 }

  /// The most empty slabs that a cache keeps between ``SlabCache/reap(to:)`` calls. Others are released at once.
  public static var emptySlabMaximum: UInt { 8 }

  /// The most bytes of objects in one magazine, unless four objects are larger.
  public static var magazineByteMaximum: UInt { 16384 }

  /// The fewest and the most rounds of a magazine. Eight magazines of 62 rounds fill a frame.
  public static var magazineCapacity: ClosedRange<UInt> { 4...62 }
}
