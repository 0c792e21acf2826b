/// An address of physical memory, or of what plays its part: 64 bits on every processor.
@frozen
public struct PhysAddr: Addr {
  public let raw: UInt64

  @inlinable public init(_ raw: UInt64) {
    self.raw = raw
  }
}
