import PageTables

/// What a processor family does with an entry, written from its manual: the code under test computes none of it.
struct ProcessorRules {
  /// Whether the processor must never see a large page and its parts at the same time.
  var forbidsTwoSizes = false
  /// Whether a leaf lets the processor write.
  var isWritable: (UInt64) -> Bool
  /// A leaf after the processor has written to its page.
  var written: (UInt64) -> UInt64
  /// The bits of a leaf of a level that must not change while the leaf is cached.
  var fixedBits: (_ level: Int) -> UInt64
  /// Bits that must not be cleared while the leaf is cached.
  var keptBits: UInt64 = 0

  /// The rules for a format.
  init<Format: PageTableFormat>(_ format: Format.Type) {
    if format is any AArch64Format.Type {
      // DDI 0487, D8.16.1: no change of size, memory type (AttrIndx 4:2, SH 9:8) or the contiguous bit (52), and no
      // global leaf over one that was not (nG, 11). DBM is bit 51 and AP[2] bit 7; a write clears AP[2] and sets AF.
      forbidsTwoSizes = true
      isWritable = { $0 & 1 << 7 == 0 || $0 & 1 << 51 != 0 }
      written = { ($0 | 1 << 10) & ~(1 << 7) }
      fixedBits = { _ in 0x1C | 0x300 | 1 << 52 }
      keptBits = 1 << 11
    } else if format is any RISCVFormat.Type {
      // W is bit 2, A and D are bits 6 and 7, PBMT is 62:61.
      isWritable = { $0 & 1 << 2 != 0 }
      written = { $0 | 0xC0 }
      fixedBits = { _ in 3 << 61 }
    } else {
      // Intel SDM volume 3A, 4.8, 4.9 and 4.10: R/W is bit 1, A and D are bits 5 and 6. PWT, PCD and PAT (bit 7, or 12 of
      // a large page) are the memory type.
      isWritable = { $0 & 1 << 1 != 0 }
      written = { $0 | 0x60 }
      fixedBits = { $0 == 0 ? 0x98 : 0x1018 }
    }
  }
}
