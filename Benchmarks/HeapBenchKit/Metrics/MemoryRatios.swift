/// Ratios of used memory to requested memory; 1 is perfect.
public enum MemoryRatios {
  /// Blow-up: the peak of the heap over the peak of the live bytes.
  ///
  /// With the requested bytes as live bytes, this is the fourth measure of Johnstone and Wilson (The Memory
  /// Fragmentation Problem: Solved?, ISMM 1998): the maximum of the heap relative to the maximum of the live bytes,
  /// wherever each occurs. It is also Hoard's blow-up (Berger et al., ASPLOS 2000). With the compaction oracle's peak,
  /// it charges the policy only with what a policy could avoid.
  /// - Returns: 1 when nothing was ever live.
  public static func blowUp(peakHeapByteCount: UInt64, peakLiveByteCount: UInt64) -> Double {
    ratio(peakHeapByteCount, peakLiveByteCount)
  }

  /// Internal waste: the usable bytes granted over the bytes requested, summed over all requests.
  ///
  /// A policy's rounding counts here; its headers count in the blow-up.
  /// - Returns: 1 when nothing was ever requested.
  public static func internalWaste(grantedByteCount: UInt64, requestedByteCount: UInt64) -> Double {
    ratio(grantedByteCount, requestedByteCount)
  }

  /// Residency at one moment: resident bytes over live bytes.
  /// - Returns: nil when nothing is live.
  public static func residency(residentByteCount: UInt64, liveByteCount: UInt64) -> Double? {
    liveByteCount == 0 ? nil : Double(residentByteCount) / Double(liveByteCount)
  }

  private static func ratio(_ spent: UInt64, _ asked: UInt64) -> Double {
    asked == 0 ? 1 : Double(spent) / Double(asked)
  }
}
