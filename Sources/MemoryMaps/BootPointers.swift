public import Addresses

/// Finds what a boot loader's structures point to: the virtual address at which `byteCount` bytes from `address` on can
/// be read, or nil when they cannot.
///
/// The address is physical for Multiboot and PVH, and virtual for Limine. The bytes are read and must not change during
/// the call. A boot loader is trusted no further than this function: return nil for what is not mapped.
public typealias BootPointerReader = (_ address: UInt64, _ byteCount: Int) -> VirtAddr?

extension MemoryMap {
  /// Runs `body` on the bytes that a boot loader's structure points to.
  static func withBytes<Result>(
    at address: UInt64, _ byteCount: Int, _ reader: BootPointerReader,
    _ body: (RawSpan) throws(MemoryMapError) -> Result
  ) throws(MemoryMapError) -> Result {
    // SAFETY: the reader promises that these bytes can be read.
    guard let start = reader(address, byteCount), let pointer = unsafe start.pointer else {
      throw .unreadable(address: address)
    }
    return try unsafe body(UnsafeRawBufferPointer(start: pointer, count: byteCount).bytes)
  }

  /// Adds what a boot loader left: its own structures and the modules that it loaded.
  mutating func add(
    loaderData start: UInt64, byteCount: UInt64, number: Int, _ report: inout MemoryMapReport
  ) throws(MemoryMapError) {
    try add(firmwareEntry: start, byteCount: byteCount, .bootloader, number: number, &report)
  }
}
