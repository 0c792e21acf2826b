import Addresses
import BuddyFrames
import Glibc
import MemoryProtocols

/// Memory for a frame table: lazily committed zeros, so a table for a terabyte costs only the touched pages.
final class TableMemory {
  let range: AddrRange<VirtAddr>

  init(byteCount: UInt) {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    let pointer = mmap(nil, Int(byteCount), PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let pointer = unsafe pointer, unsafe pointer != MAP_FAILED else {
      fatalError("no memory for a frame table of \(byteCount) bytes")
    }
    range = AddrRange(start: VirtAddr(UnsafeRawPointer(pointer)), byteCount: byteCount)
  }

  /// Memory for the table of an allocator over `frames`.
  convenience init(for frames: AddrRange<PhysAddr>) {
    self.init(byteCount: BuddyFrames.tableByteCount(for: frames))
  }

  /// An allocator over `frames` with its table here.
  func frames(over frames: AddrRange<PhysAddr>) -> BuddyFrames {
    BuddyFrames(over: frames, tableIn: range, holding: .zeros)
  }

  deinit {
    // SAFETY: the mapping of `init`; no allocator outlives its test's table.
    unsafe munmap(range.start.pointer, Int(range.byteCount))
  }
}

extension AddrRange<PhysAddr> {
  /// `count` frames from frame number `first`, counted from physical address 0.
  init(frames count: UInt64, from first: UInt64) {
    self.init(start: PhysAddr(first << 12), byteCount: count << 12)
  }
}

extension TableMemory {
  /// Memory that is never freed.
  static func leaked(byteCount: UInt) -> AddrRange<VirtAddr> {
    Unmanaged.passRetained(TableMemory(byteCount: max(byteCount, 4096))).takeUnretainedValue().range
  }

  /// How many bytes of the memory are resident, that is, touched so far.
  var residentByteCount: UInt {
    // SAFETY: one flag for each page of the mapping.
    var flags = [UInt8](repeating: 0, count: Int((range.byteCount + 4095) / 4096))
    guard unsafe mincore(range.start.pointer, Int(range.byteCount), &flags) == 0 else { return .max }
    return UInt(flags.count { $0 & 1 != 0 }) * 4096
  }
}

/// Finds physical addresses at a fixed distance in a test's memory.
struct TestMapper: PhysMapper {
  let memory: AddrRange<VirtAddr>
  let start: PhysAddr

  func physToVirt(_ address: PhysAddr) -> VirtAddr { memory.start + UInt(address.byteCount(from: start)) }
  func virtToPhys(_ address: VirtAddr) -> PhysAddr { start + UInt64(address.byteCount(from: memory.start)) }
}
