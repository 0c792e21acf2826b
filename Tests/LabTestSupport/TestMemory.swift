public import Addresses

/// Memory for a test, freed with its owner.
public struct TestMemory: ~Copyable, Sendable {
  /// The bytes.
  public let range: AddrRange<VirtAddr>

  /// `byteCount` bytes from a page boundary on, or `offset` bytes further; untouched, so a large memory costs nothing
  /// until it is used.
  public init(byteCount: UInt, offset: UInt = 0) {
    // SAFETY: the memory is this owner's until `deinit`.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: Int(byteCount + offset), alignment: 4096)
    range = unsafe AddrRange(start: VirtAddr(memory) + offset, byteCount: byteCount)
  }

  deinit {
    // SAFETY: `init` allocated it at the start of the page, and nobody uses it any more.
    unsafe range.start.alignedDown(to: 4096).unsafePointer.deallocate()
  }
}

// Reads and writes of a test in its own memory.
extension TestMemory {
  /// The byte at an address.
  public static func byte(at address: VirtAddr) -> UInt8 {
    // SAFETY: the caller's memory.
    unsafe address.unsafePointer.load(as: UInt8.self)
  }

  /// Writes a byte.
  public static func setByte(_ byte: UInt8, at address: VirtAddr) {
    // SAFETY: the caller's memory.
    unsafe address.unsafePointer.storeBytes(of: byte, as: UInt8.self)
  }

  /// Writes 32 bits.
  public static func setField(_ field: UInt32, at address: VirtAddr) {
    // SAFETY: the caller's memory.
    unsafe address.unsafePointer.storeBytes(of: field, as: UInt32.self)
  }
}
