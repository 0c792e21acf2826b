public import Addresses
import Assertions

/// Where a contiguous run of frames must lie: what a device that reads memory by itself asks for.
@frozen
public struct FrameRunConstraints: Sendable {
  /// What the run's address is a multiple of, in bytes.
  public let alignment: UInt64
  /// The addresses that the device reaches; nil for all.
  public let bounds: AddrRange<PhysAddr>?
  /// The run lies between two multiples of this many bytes; nil where it may cross any.
  public let boundary: UInt64?

  /// Constraints; traps unless alignment and boundary are powers of two.
  ///
  /// - Parameters:
  ///   - alignment: What the run's address must be a multiple of, in bytes: a power of two.
  ///   - bounds: The addresses that the device reaches, such as those below 4 GiB.
  ///   - boundary: A multiple of this many bytes must not lie inside the run: a power of two, such as 64 KiB for
  ///     devices whose address counters have 16 bits.
  public init(
    alignment: UInt64 = PageSize.size4KiB.byteCount, within bounds: AddrRange<PhysAddr>? = nil, boundary: UInt64? = nil
  ) {
    require(alignment.isPowerOfTwo, "an alignment must be a power of two, found", alignment)
    if let boundary { require(boundary.isPowerOfTwo, "a boundary must be a power of two, found", boundary) }
    self.alignment = max(alignment, PageSize.size4KiB.byteCount)
    self.bounds = bounds
    self.boundary = boundary
  }
}
