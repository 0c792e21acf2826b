/// An address of physical memory, real or simulated: 64 bits on every processor.
@frozen
public struct PhysAddr: Addr {
  public let raw: UInt64

  @inlinable public init(_ raw: UInt64) {
    self.raw = raw
  }
}
