import PageTables

// Formats of particular processors, as a kernel declares them.

/// A processor with 46 bits of physical address.
enum X86NarrowAddresses: X86Format {
  static var levelCount: Int { 4 }
  static var physicalAddressBitCount: Int { 46 }
}

/// A processor with SME: bit 47 of an entry says that the page is encrypted, and 43 bits of address are left.
enum X86Encrypted: X86Format {
  static var levelCount: Int { 4 }
  static var physicalAddressBitCount: Int { 43 }
  static var memoryEncryption: X86MemoryEncryption { .encryptedBit(47) }
}

/// A TDX guest whose bit 51 says that the host shares the page.
enum X86Trusted: X86Format {
  static var levelCount: Int { 5 }
  static var physicalAddressBitCount: Int { 51 }
  static var memoryEncryption: X86MemoryEncryption { .sharedBit(51) }
}

/// A processor without IA32_EFER.NXE.
enum X86WithoutExecuteDisable: X86Format {
  static var levelCount: Int { 4 }
  static var hasExecuteDisable: Bool { false }
}

/// A processor with Svpbmt and four levels.
enum Sv48MemoryTypes: RISCVFormat {
  static var levelCount: Int { 4 }
  static var hasMemoryTypes: Bool { true }
}

/// A processor with Svpbmt and five levels.
enum Sv57MemoryTypes: RISCVFormat {
  static var levelCount: Int { 5 }
  static var hasMemoryTypes: Bool { true }
}
