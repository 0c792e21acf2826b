public import Assertions

/// An address as the processor's instructions use it: as wide as a pointer.
@frozen
public struct VirtAddr: Addr {
  public let raw: UInt

  @inlinable public init(_ raw: UInt) {
    self.raw = raw
  }
}

/// How many low bits of a virtual address the page tables translate.
public enum VirtualAddressWidth: UInt8, Sendable {
  /// Three levels: RISC-V Sv39.
  case bits39 = 39
  /// Four levels: x86-64, AArch64 with 4 KiB granules, RISC-V Sv48.
  case bits48 = 48
  /// Five levels: x86-64 with LA57.
  case bits57 = 57
}

extension VirtAddr {
  /// Whether every bit above the translated ones equals the highest of them (Intel SDM volume 1, 3.3.7.1).
  ///
  /// Where a pointer has 32 bits, every address is canonical.
  /// - Complexity: O(1)
  @inlinable public func isCanonical(_ width: VirtualAddressWidth = .bits48) -> Bool {
    let unusedBitCount = Int64.bitWidth - Int(width.rawValue)
    let extended = Int64(Int(bitPattern: raw))
    return (extended << unusedBitCount) >> unusedBitCount == extended
  }

  /// The address with every bit above the translated ones set to the highest of them.
  @inlinable public func canonicalized(_ width: VirtualAddressWidth = .bits48) -> VirtAddr {
    let unusedBitCount = Int64.bitWidth - Int(width.rawValue)
    let extended = (Int64(Int(bitPattern: raw)) << unusedBitCount) >> unusedBitCount
    return VirtAddr(UInt(truncatingIfNeeded: extended))
  }

  /// The index, 0 to 511, into the page table of `level`. The entries of a level 0 table map 4 KiB pages; level 4 is
  /// the root of five levels. Traps above level 4.
  /// - Complexity: O(1)
  @inlinable public func tableIndex(level: Int) -> Int {
    require((0...4).contains(level), "a page-table level must be 0 to 4, found", UInt64(truncatingIfNeeded: level))
    return Int((UInt64(raw) >> (12 + 9 * UInt64(level))) & 0x1FF)
  }

  /// The byte offset in the page of `size` that contains the address.
  @inlinable public func pageOffset(_ size: PageSize = .size4KiB) -> UInt {
    raw & (UInt(size.byteCount) - 1)
  }
}
