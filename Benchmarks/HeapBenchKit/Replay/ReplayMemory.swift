import Addresses
import Glibc

/// The memory that a measured heap lives in: fresh, its start at a multiple of 1 GiB or as far as asked.
struct ReplayMemory: ~Copyable {
  /// The bytes that the heap gets.
  let range: AddrRange<VirtAddr>

  /// Whether all of it is pinned.
  let isPinned: Bool

  private let mapping: AddrRange<VirtAddr>

  /// Reserves `byteCount` bytes whose pages appear when they are first touched.
  init(reserving byteCount: UInt) throws(MeasurementFailure) {
    try self.init(byteCount: byteCount, flags: MAP_NORESERVE)
    
  }

  /// Reserves `byteCount` bytes and makes all of them resident, pinned where the system allows.
  init(pinning byteCount: UInt) throws(MeasurementFailure) {
    try self.init(byteCount: byteCount, flags: MAP_NORESERVE)
  }

  private init(byteCount: UInt, flags: Int32) throws(MeasurementFailure) {
    let alignment: UInt = 1 << 30
    let total = Int(byteCount + alignment)
    let p = unsafe mmap(nil, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0)
    guard let p = unsafe p, unsafe p != MAP_FAILED else { throw .system("cannot reserve \(byteCount) bytes", errno) }
    mapping = unsafe AddrRange(start: VirtAddr(UnsafeRawPointer(p)), byteCount: UInt(total))
    range = AddrRange(start: mapping.start.alignedUp(to: alignment), byteCount: byteCount)
    isPinned = false
  }

  deinit {
    unsafe munmap(mapping.start.pointer, Int(mapping.byteCount))
  }
}
