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
  init(byteCount: UInt, isPinned wantsPin: Bool) throws(MeasurementFailure) {
    let region = try Self.region((max(byteCount, 1) + 4095) & ~4095)
    pinRefusal = wantsPin ? try Self.pin(region) : nil
    isPinned = wantsPin && pinRefusal == nil
    self.region = region
  }

  /// The bytes that the heap gets.
  var range: AddrRange<VirtAddr> { region.range }

  private static func region(_ byteCount: UInt) throws(MeasurementFailure) -> MemoryRegion {
    let reason: String
    do throws(ReserveError) {
      let region = try MemoryRegion(reserving: byteCount, alignment: 1 << 30)
      do throws(CommitError) {
        try region.commit()
        return region
      } catch {
        reason = "\(error)"
      }
    } catch {
      reason = "\(error)"
    }
    throw MeasurementFailure("a heap of \(ByteCount(UInt64(byteCount))) cannot be had: \(reason)")
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
