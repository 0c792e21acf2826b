import Addresses
import MemoryRegions

/// The memory of a measured heap: fresh, and starting at a multiple of 1 GiB. A heap that aligns blocks then places
/// them at the same offsets wherever the system maps the memory.
struct ReplayMemory: ~Copyable {
  private let region: MemoryRegion

  /// Whether all of it is pinned.
  let isPinned: Bool

  /// Why the memory is not pinned although it should be, and what to do about it.
  let pinRefusal: String?

  /// Maps `byteCount` bytes, rounded up to pages.
  ///
  /// - Parameters:
  ///   - wantsPin: Whether to pin the memory; where that is refused, all of it is at least made resident. Otherwise
  ///     each page appears with its first touch.
  ///   - wantsHugePages: Whether to ask for transparent huge pages. It is no failure when there are none.
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

  /// The range that the heap gets.
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

  /// Pins the region, or at least makes it resident.
  ///
  /// - Returns: Why the region is not pinned; nil when it is.
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
