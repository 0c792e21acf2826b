// Memory types by the page attribute table (Intel SDM volume 3A, 13.12). PAT, PCD and PWT are bits 2, 1 and 0 of an
// index into IA32_PAT. Its entries 0 to 3 keep their values at reset, so tables that know only PCD and PWT keep their
// meaning. So do entries 4, 5 and 7. Write-combining is entry 6, which is UC− at reset: a processor that has not loaded
// the table yet does not cache such a page either.

extension X86Format {
  /// The value for IA32_PAT (MSR 0x277) on every processor: WB, WT, UC−, UC, WB, WT, WC, UC from entry 0 up.
  @inlinable public static var pageAttributeTable: UInt64 { 0x0001_0406_0007_0406 }

  @inlinable static func memoryTypeBits(_ memoryType: MemoryType, level: Int) -> UInt64 {
    switch memoryType {
    case .normal: 0
    case .writeCombining: X86Bit.cacheDisable | patBit(level: level)
    case .uncached: X86Bit.cacheDisable
    case .device: X86Bit.cacheDisable | X86Bit.writeThrough
    }
  }

  /// Nil for write-through.
  @inlinable public static func memoryType(of leaf: PageTableEntry, level: Int) -> MemoryType? {
    let isWriteThrough = leaf.bits & X86Bit.writeThrough != 0
    if leaf.bits & X86Bit.cacheDisable == 0 { return isWriteThrough ? nil : .normal }
    if isWriteThrough { return .device }
    return leaf.bits & patBit(level: level) == 0 ? .uncached : .writeCombining
  }

  @inlinable static func patBit(level: Int) -> UInt64 { level == 0 ? X86Bit.pageSize : X86Bit.largePageAttribute }
}
