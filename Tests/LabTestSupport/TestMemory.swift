public import Addresses

/// Memory for a test, given back when its owner is done.
public struct TestMemory: ~Copyable {
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
