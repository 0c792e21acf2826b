import Addresses
import Glibc

/// The physical memory of a simulated machine: an anonymous mapping, all zeros, whose pages take up memory only when
/// touched.
final class PhysicalMemory {
  /// Its physical addresses.
  let range: AddrRange<PhysAddr>

  /// The address of its first byte in this process.
  let base: UnsafeMutableRawPointer

  /// Memory of `byteCount` bytes from `start`, both multiples of 4 KiB.
  init(start: PhysAddr, byteCount: UInt64) {
    range = AddrRange(start: start, byteCount: byteCount)
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let base = mmap(nil, Int(byteCount), PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED else {
      fatalError("no address space for \(byteCount) bytes of a machine's memory")
    }
    self.base = base
  }

  deinit {
    munmap(base, Int(range.byteCount))
  }

  /// The address in this process of the byte at `address`; traps outside the memory.
  func pointer(to address: UInt64) -> UnsafeMutableRawPointer {
    precondition(range.contains(PhysAddr(address)), "0x\(String(address, radix: 16)) is outside the machine's memory")
    return base + Int(address - range.start.raw)
  }

  /// The eight bytes at a physical address, a multiple of 8.
  subscript(address: UInt64) -> UInt64 {
    get { pointer(to: address).load(as: UInt64.self) }
    set { pointer(to: address).storeBytes(of: newValue, as: UInt64.self) }
  }

  /// Returns the memory's pages to the system: all zeros again.
  func clear() {
    madvise(base, Int(range.byteCount), MADV_DONTNEED)
  }
}
