/// How a processor caches a page and orders the accesses to it.
///
/// The processor must be set up as documented at ``X86Format/pageAttributeTable`` and
/// ``AArch64Format/memoryAttributes``; RISC-V needs no set-up.
///
/// | | x86-64 | AArch64 | RISC-V with Svpbmt |
/// | --- | --- | --- | --- |
/// | normal | write-back | Normal, write-back | as the platform says (PMA) |
/// | write-combining | WC | Normal, non-cacheable | NC |
/// | uncached | UC− | Normal, non-cacheable | NC |
/// | device | UC | Device-nGnRE | I/O |
@frozen
public enum MemoryType: UInt8, Sendable {
  /// Memory, cached with write-back.
  case normal = 0
  /// Memory that is not cached, whose writes may be gathered and reordered: frame buffers.
  case writeCombining = 1
  /// Memory that is not cached: buffers shared with a device that does not snoop caches.
  case uncached = 2
  /// Device registers: each access happens once, with its own width and in program order.
  case device = 3
}
