import Addresses
import Glibc

/// The memory that a measured heap lives in: fresh, and starting at a multiple of 1 GiB, so that where blocks lie does
/// not depend on where the system puts it.
struct ReplayMemory: ~Copyable {
  /// The bytes that the heap gets.
  let range: AddrRange<VirtAddr>

  /// Whether all of it is pinned.
  let isPinned: Bool

  /// Why it is not though that was asked for.
  let pinRefusal: String?

  private let mapping: AddrRange<VirtAddr>

  /// `byteCount` bytes: pinned, or at least resident, if asked for; else each page appears with its first touch.
  init(byteCount: UInt, isPinned: Bool) throws(MeasurementFailure) {
    let alignment: UInt = 1 << 30
    let total = Int(byteCount + alignment)
    let p = unsafe mmap(nil, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let p, unsafe p != MAP_FAILED else { throw .system("cannot reserve \(byteCount) bytes", errno) }
    mapping = unsafe AddrRange(start: VirtAddr(UnsafeRawPointer(p)), byteCount: UInt(total))
    range = AddrRange(start: mapping.start.alignedUp(to: alignment), byteCount: byteCount)
    let locked = isPinned ? unsafe mlock(range.start.pointer!, Int(byteCount)) : 1
    self.isPinned = isPinned && locked == 0
    pinRefusal = nil
  }

  deinit {
    unsafe munmap(mapping.start.pointer, Int(mapping.byteCount))
  }
}
