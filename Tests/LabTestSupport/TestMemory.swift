public import Addresses

/// Memory for a test, given back when its owner is done.
public struct TestMemory: ~Copyable, Sendable {
  /// The bytes.
  public let range: AddrRange<VirtAddr>

  /// `byteCount` bytes from a page boundary on, or `offset` bytes further; untouched, so that a large memory costs
  /// nothing until it is used.
  public init(byteCount: UInt, offset: UInt = 0) {
    // SAFETY: the memory is this owner's until `deinit`.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: Int(byteCount + offset), alignment: 4096)
    range = unsafe AddrRange(start: VirtAddr(memory) + offset, byteCount: byteCount)
  }

  deinit {
    // SAFETY: `init` allocated it at the page's start, and nobody uses it any more.
    unsafe range.start.alignedDown(to: 4096).unsafePointer.deallocate()
  }
}

// What a test reads and writes, in memory that is its own.
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
