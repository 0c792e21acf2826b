import Addresses
import LabTestSupport
import MemoryMaps
import Testing

@Suite struct MemoryMapDecodingTests {
  private static let qemu128MiB = """
    0x0..<0x9fc00 usable
    0x9fc00..<0xa0000 reserved
    0xf0000..<0x100000 reserved
    0x100000..<0x7fe0000 usable
    0x7fe0000..<0x8000000 reserved
    0xfffc0000..<0x100000000 reserved
    0xfd00000000..<0x10000000000 reserved
    """

  @Test func readsARealTableOf24ByteEntries() throws {
    var map = MemoryMap(entries: 128)
    try map.add(e820: FirmwareTables.bytes(FirmwareTables.e820QEMU128MiB).span.bytes, entryByteCount: 24)
    #expect(map.description == Self.qemu128MiB)
  }

  @Test func readsARealTableOf20ByteEntries() throws {
    let bytes = FirmwareTables.bytes(FirmwareTables.e820QEMU128MiB)
    let entries = stride(from: 0, to: bytes.count, by: 24).flatMap { bytes[$0..<$0 + 20] }
    var map = MemoryMap(entries: 128)
    try map.add(e820: entries.span.bytes)
    #expect(map.description == Self.qemu128MiB)
  }

  @Test func sortsWhatTheFirmwareListsOutOfOrder() throws {
    var map = MemoryMap(entries: 128)
    try map.add(e820: FirmwareTables.bytes(FirmwareTables.e820QEMU4GiB).span.bytes, entryByteCount: 24)
    #expect(
      map.description == """
        0x0..<0x9fc00 usable
        0x9fc00..<0xa0000 reserved
        0xf0000..<0x100000 reserved
        0x100000..<0xbffe0000 usable
        0xbffe0000..<0xc0000000 reserved
        0xfffc0000..<0x100000000 reserved
        0x100000000..<0x140000000 usable
        0xfd00000000..<0x10000000000 reserved
        """)
  }

  @Test func passesOverEntriesThatAreToBeIgnored() throws {
    var bytes = FirmwareTables.bytes(FirmwareTables.e820QEMU128MiB)
    bytes[20] = 0
    var map = MemoryMap(entries: 128)
    try map.add(e820: bytes.span.bytes, entryByteCount: 24)
    #expect(map[0].range.start == PhysAddr(0x9FC00))
  }

  @Test func knowsEveryType() throws {
    var bytes: [UInt8] = []
    for type in UInt32(0)...13 {
      bytes += FirmwareTables.littleEndian(UInt64(type) << 13) + FirmwareTables.littleEndian(UInt64(0x1000))
      bytes += FirmwareTables.littleEndian(type)
    }
    var map = MemoryMap(entries: 128)
    try map.add(e820: bytes.span.bytes)
    let kinds = (0..<map.count).map { map[$0].kind }
    #expect(Array(kinds[0...5]) == [.reserved, .usable, .reserved, .acpiReclaimable, .acpiNVS, .bad])
    #expect(kinds[6...].allSatisfy { $0 == .reserved })
  }

  @Test func refusesBrokenTables() throws {
    let bytes = FirmwareTables.bytes(FirmwareTables.e820QEMU128MiB)
    var map = MemoryMap(entries: 128)
    #expect(throws: MemoryMapError.truncated(byteCount: 167, needed: 168)) {
      try map.add(e820: bytes.span.bytes.extracting(0..<167), entryByteCount: 24)
    }
    #expect(throws: MemoryMapError.entrySize(22)) { try map.add(e820: bytes.span.bytes, entryByteCount: 22) }
    #expect(map.count == 0)
  }

  @Test func readsWhatGRUBHandedOver() throws {
    var map = MemoryMap(entries: 128)
    try map.add(multiboot2: FirmwareTables.bytes(FirmwareTables.multiboot2QEMU256MiB).span.bytes)
    #expect(
      map.description == """
        0x0..<0x9fc00 usable
        0x9fc00..<0xa0000 reserved
        0xf0000..<0x100000 reserved
        0x100000..<0xffe0000 usable
        0xffe0000..<0x10000000 reserved
        0xfffc0000..<0x100000000 reserved
        0xfd00000000..<0x10000000000 reserved
        """)
  }

  /// Truncated information is always detected, up to the end of the memory map.
  @Test func refusesInformationThatIsCutShort() throws {
    let bytes = FirmwareTables.bytes(FirmwareTables.multiboot2QEMU256MiB)
    for byteCount in 0..<bytes.count {
      var map = MemoryMap(entries: 128)
      #expect(throws: MemoryMapError.self) { try map.add(multiboot2: bytes.span.bytes.extracting(0..<byteCount)) }
    }
  }

  @Test func refusesBrokenTags() throws {
    let all = FirmwareTables.bytes(FirmwareTables.multiboot2QEMU256MiB)
    let start = try #require(
      stride(from: 8, to: all.count, by: 8).first { all[$0..<$0 + 8].elementsEqual([6, 0, 0, 0, 0xB8, 0, 0, 0]) })
    let tag = Array(all[start..<start + 0xB8])
    func decode(_ change: (inout [UInt8]) -> Void) throws(MemoryMapError) -> MemoryMapReport {
      var bytes = tag
      change(&bytes)
      var map = MemoryMap(entries: 128)
      return try map.add(multiboot2Tag: bytes.span.bytes)
    }
    #expect(try decode { _ in }.entryCount == 7)
    #expect(throws: MemoryMapError.tagType(1)) { try decode { $0[0] = 1 } }
    #expect(throws: MemoryMapError.tagSize(8)) { try decode { $0[4] = 8 } }
    #expect(throws: MemoryMapError.truncated(byteCount: 184, needed: 185)) { try decode { $0[4] = 185 } }
    #expect(throws: MemoryMapError.truncated(byteCount: 183, needed: 184)) { try decode { $0[4] = 183 } }
    #expect(throws: MemoryMapError.entrySize(20)) { try decode { $0[8] = 20 } }
    #expect(throws: MemoryMapError.entrySize(0)) { try decode { $0[8] = 0 } }
    #expect(throws: MemoryMapError.truncated(byteCount: 12, needed: 16)) { try decode { $0.removeLast(172) } }
    let report = try decode { for byte in 64..<80 { $0[byte] = 0xFF } }
    #expect(report.description == "7 entries, of which 0 clipped and 1 skipped, the first of them number 2")
  }

  @Test func refusesInformationWithoutAMap() throws {
    let bytes: [UInt8] = [16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0]
    var map = MemoryMap(entries: 128)
    #expect(throws: MemoryMapError.noMemoryMap) { try map.add(multiboot2: bytes.span.bytes) }
    let endless: [UInt8] = [16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    #expect(throws: MemoryMapError.tagSize(0)) { try map.add(multiboot2: endless.span.bytes) }
  }

  /// One entry that makes no sense costs none of the memory that the others describe.
  @Test func clipsOrSkipsEntriesPastTheLastAddress() throws {
    func table(_ entries: [(start: UInt64, byteCount: UInt64, type: UInt32)]) -> [UInt8] {
      entries.flatMap { entry in
        FirmwareTables.littleEndian(entry.start) + FirmwareTables.littleEndian(entry.byteCount)
          + FirmwareTables.littleEndian(entry.type)
      }
    }
    let good: [(UInt64, UInt64, UInt32)] = [(0, 0x9FC00, 1), (0x10_0000, 0x7FF0_0000, 1)]
    let top: UInt64 = 1 << 52
    let flaws: [(entry: (UInt64, UInt64, UInt32), clipped: Int, skipped: Int, added: String)] = [
      // Ends with the last byte of the address space, above what the processor can address.
      ((0xFFFF_FFFF_FFFF_0000, 0x1_0000, 2), 0, 1, ""),
      // Reserved memory is clipped, whether its end wraps, is 2^64 or lies below that.
      ((top - 0x1000, 0x10_0000, 2), 1, 0, "\n0xffffffffff000..<0x10000000000000 reserved"),
      ((top - 0x1000, 0 &- (top - 0x1000), 2), 1, 0, "\n0xffffffffff000..<0x10000000000000 reserved"),
      ((top - 0x1000, .max, 2), 1, 0, "\n0xffffffffff000..<0x10000000000000 reserved"),
      // Usable memory whose end wraps is not believed; neither are ranges that are not addressable at all.
      ((0x1_0000_0000, .max, 1), 0, 1, ""),
      ((.max, .max, 1), 0, 1, ""),
      ((0x1_0000_0000, top, 1), 1, 0, "\n0x100000000..<0x10000000000000 usable"),
    ]
    for flaw in flaws {
      var map = MemoryMap(entries: 8)
      let bytes = table([good[0], flaw.entry, good[1]])
      let report = try map.add(e820: bytes.span.bytes)
      #expect(report.entryCount == 3)
      #expect(report.clippedCount == flaw.clipped)
      #expect(report.skippedCount == flaw.skipped)
      #expect(report.firstFlawedEntry == 1)
      #expect(map.description == "0x0..<0x9fc00 usable\n0x100000..<0x80000000 usable" + flaw.added)
    }
  }

  @Test func saysWhatIsWrong() {
    #expect(
      MemoryMapError.truncated(byteCount: 5, needed: 8).description
        == "the memory map ends after 5 bytes where it takes 8")
    #expect(MemoryMapError.full(capacity: 8).description.contains("room for 8 entries"))
    #expect(MemoryMapReport().description == "0 entries")
  }
}
