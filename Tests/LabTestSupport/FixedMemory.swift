public import Addresses
import Foundation

/// Memory at an address that is the same in every process, for tests that read addresses in messages.
public enum FixedMemory {
  /// Far from where the system places mappings itself.
  public static let start = VirtAddr(0x2000_0000_0000)

  /// Maps `byteCount` bytes there or at another address, once per process; they cost nothing until they are touched.
  public static func map(byteCount: UInt, at start: VirtAddr = start) -> AddrRange<VirtAddr> {
    // SAFETY: nothing that is mapped already is replaced.
    let mapped = unsafe mmap(
      start.pointer, Int(byteCount), PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0)
    precondition(unsafe VirtAddr(mapped) == start, "the fixed address must be free")
    return AddrRange(start: start, byteCount: byteCount)
  }

  /// Writes a word, as a program with a bug would.
  public static func store(_ word: UInt, at address: VirtAddr) {
    // SAFETY: the memory is mapped.
    unsafe address.unsafePointer.storeBytes(of: word, as: UInt.self)
  }
}
