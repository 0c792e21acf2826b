import Addresses
import MemoryRegions

/// The memory that a measured heap lives in: fresh, and starting at a multiple of 1 GiB, so that where blocks lie does
/// not depend on where the system puts it.
struct ReplayMemory: ~Copyable {
  private let region: MemoryRegion

  /// Whether all of it is pinned.
  let isPinned: Bool

  /// Why it is not though that was asked for, and what to do.
  let pinRefusal: String?

  /// `byteCount` bytes, rounded up to pages: pinned, or at least resident where that is refused, if asked for; else
  /// each page appears with its first touch.
  ///
  /// - Parameter wantsHugePages: Whether to ask for transparent huge pages; that there are none is no failure.
  init(byteCount: UInt, isPinned wantsPin: Bool, wantsHugePages: Bool = false) throws(MeasurementFailure) {
    let region = try Self.reserve((max(byteCount, 1) + 4095) & ~4095)
    try Self.commit(region)
    if wantsHugePages { try? region.useTransparentHugePages(true) }
    let refusal = wantsPin ? try Self.pin(region) : nil
    self.init(region, isPinned: wantsPin && refusal == nil, pinRefusal: refusal)
  }

  private init(_ region: consuming MemoryRegion, isPinned: Bool, pinRefusal: String?) {
    self.region = region
    self.isPinned = isPinned
    self.pinRefusal = pinRefusal
  }

  /// The bytes that the heap gets.
  var range: AddrRange<VirtAddr> { region.range }

  private static func reserve(_ byteCount: UInt) throws(MeasurementFailure) -> MemoryRegion {
    do throws(ReserveError) {
      return try MemoryRegion(reserving: byteCount, alignment: 1 << 30)
    } catch {
      throw MeasurementFailure("a heap of \(ByteCount(UInt64(byteCount))) cannot be had: \(error)")
    }
  }

  private static func commit(_ region: borrowing MemoryRegion) throws(MeasurementFailure) {
    do throws(CommitError) {
      try region.commit()
    } catch {
      throw MeasurementFailure("a heap of \(ByteCount(UInt64(region.byteCount))) cannot be had: \(error)")
    }
  }

  /// Pins the region or at least fills it; returns why it is not pinned.
  private static func pin(_ region: borrowing MemoryRegion) throws(MeasurementFailure) -> String? {
    let refusal: String
    do throws(PinError) {
      try region.pin()
      return nil
    } catch {
      refusal = "\(error)"
    }
    do throws(PrefaultError) {
      try region.prefault()
      return refusal
    } catch {
      throw MeasurementFailure("a heap of \(ByteCount(UInt64(region.byteCount))) cannot be filled: \(error)")
    }
  }
}
