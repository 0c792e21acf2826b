import Addresses
import LabTestSupport
import MemoryMaps
import Testing

/// What real boot loaders and firmware passed; `Tests/Fixtures/MemoryMaps` says where it is from.
@Suite struct BootInformationTests {
  @Test func readsWhatQEMUPassesByMultiboot1() throws {
    let image = try MapFixtures.image("multiboot1-qemu.txt")
    var map = MemoryMap(entries: 32)
    let report = try map.add(multiboot1: PhysAddr(image.address(of: "info")), reader: image.read)
    #expect(report.isClean)
    #expect(
      map.description == """
        0x0..<0x9000 usable
        0x9000..<0x90a8 boot loader
        0x90a8..<0x9500 usable
        0x9500..<0x9574 boot loader
        0x9574..<0x9fc00 usable
        0x9fc00..<0xa0000 reserved
        0xf0000..<0x100000 reserved
        0x100000..<0x105000 usable
        0x105000..<0x105020 boot loader
        0x105020..<0x106000 usable
        0x106000..<0x10600a boot loader
        0x10600a..<0x107000 usable
        0x107000..<0x107022 boot loader
        0x107022..<0xffe0000 usable
        0xffe0000..<0x10000000 reserved
        0xfffc0000..<0x100000000 reserved
        0xfd00000000..<0x10000000000 reserved
        """)
  }

  /// A loader without a memory map says how much lower and upper memory there is.
  @Test func takesTheSizesOfMemoryWhereMultiboot1HasNoMap() throws {
    var information = [UInt8](repeating: 0, count: 116)
    information.replaceSubrange(0..<12, with: [1, 0, 0, 0] + [0x7F, 2, 0, 0] + [0, 0xFC, 1, 0])
    let image = MemoryImage(pieces: [.init(name: "info", address: 0x9_0000, bytes: information)])
    var map = MemoryMap(entries: 8)
    try map.add(multiboot1: PhysAddr(0x9_0000), reader: image.read)
    #expect(
      map.description == """
        0x0..<0x90000 usable
        0x90000..<0x90074 boot loader
        0x90074..<0x9fc00 usable
        0x100000..<0x8000000 usable
        """)
    information[0] = 0
    let bare = MemoryImage(pieces: [.init(name: "info", address: 0x9_0000, bytes: information)])
    #expect(throws: MemoryMapError.noMemoryMap) {
      try map.add(multiboot1: PhysAddr(0x9_0000), reader: bare.read)
    }
  }

  @Test func readsWhatQEMUPassesByPVH() throws {
    let image = try MapFixtures.image("pvh-qemu.txt")
    var map = MemoryMap(entries: 32)
    let report = try map.add(pvh: PhysAddr(image.address(of: "info")), reader: image.read)
    #expect(report.isClean)
    #expect(
      map.description == """
        0x0..<0x5a8 usable
        0x5a8..<0x668 boot loader
        0x668..<0x21c0 usable
        0x21c0..<0x2218 boot loader
        0x2218..<0x9fc00 usable
        0x9fc00..<0xa0000 reserved
        0xf0000..<0x100000 reserved
        0x100000..<0xbffd7000 usable
        0xbffd7000..<0xbffd7022 boot loader
        0xbffd7022..<0xbffe0000 usable
        0xbffe0000..<0xc0000000 reserved
        0xfffc0000..<0x100000000 reserved
        0x100000000..<0x140000000 usable
        0xfd00000000..<0x10000000000 reserved
        """)
    let microvm = try MapFixtures.image("pvh-microvm.txt")
    var other = MemoryMap(entries: 32)
    try other.add(pvh: PhysAddr(microvm.address(of: "info")), reader: microvm.read)
    #expect(other.byteCount(of: .usable) == 0x9FC00 + 0x1FF0_0000)
  }

  @Test func refusesStructuresThatCannotBeRead() throws {
    let image = try MapFixtures.image("pvh-qemu.txt")
    let info = image.address(of: "info")
    var map = MemoryMap(entries: 8)
    #expect(throws: MemoryMapError.unreadable(address: 0x1234)) { try map.add(pvh: PhysAddr(0x1234)) { _, _ in nil } }
    #expect(throws: MemoryMapError.magic(0)) {
      try map.add(pvh: PhysAddr(image.address(of: "map")), reader: image.read)
    }
    #expect(throws: MemoryMapError.unreadable(address: image.address(of: "map"))) {
      try map.add(pvh: PhysAddr(info)) { $0 == info ? image.read($0, $1) : nil }
    }
    #expect(throws: MemoryMapError.unreadable(address: 0x4321)) {
      try map.add(limine: VirtAddr(0x4321)) { _, _ in nil }
    }
    #expect(map.count == 0)
  }

  /// Limine's response has the address of an array of addresses.
  @Test func readsLiminesResponse() throws {
    func word(_ value: UInt64) -> [UInt8] { FirmwareTables.littleEndian(value) }
    let base: UInt64 = 0xFFFF_8000_0000_0000
    let ranges: [(UInt64, UInt64)] = [
      (0x1000, 0), (0x2000, 1), (0x3000, 2), (0x4000, 3), (0x5000, 4), (0x6000, 5), (0x7000, 6), (0x8000, 7),
      (0x9000, 99),
    ]
    var pieces: [MemoryImage.Piece] = []
    for (index, range) in ranges.enumerated() {
      let bytes = word(range.0) + word(0x1000) + word(range.1)
      pieces.append(.init(name: "entry", address: base + 0x1000 + UInt64(index) * 0x100, bytes: bytes))
    }
    pieces.append(.init(name: "array", address: base + 0x100, bytes: pieces.flatMap { word($0.address) }))
    pieces.append(
      .init(name: "response", address: base, bytes: word(0) + word(UInt64(ranges.count)) + word(base + 0x100)))
    var map = MemoryMap(entries: 32)
    let report = try map.add(limine: VirtAddr(UInt(base)), reader: MemoryImage(pieces: pieces).read)
    #expect(report.isClean)
    #expect(
      map.description == """
        0x1000..<0x2000 usable
        0x2000..<0x3000 reserved
        0x3000..<0x4000 ACPI reclaimable
        0x4000..<0x5000 ACPI NVS
        0x5000..<0x6000 bad
        0x6000..<0x7000 boot loader
        0x7000..<0x8000 kernel
        0x8000..<0xa000 reserved
        """)
  }

  @Test func readsTheMapOfUEFIAndItsNodes() throws {
    let table = try MapFixtures.hexadecimal("uefi-ovmf.txt")
    var map = MemoryMap(entries: 2 * table.count / 48)
    let report = try map.add(uefi: table.span.bytes, descriptorByteCount: 48)
    #expect(report.isClean)
    #expect(report.entryCount == 126)
    let nodes = try MapFixtures.hexadecimal("srat-ovmf.txt")
    #expect(try map.setNodes(srat: nodes.span.bytes).entryCount == 3)
    #expect(try map.memoryRange(srat: nodes.span.bytes) == AddrRange<PhysAddr>(0, 0x8000_0000))
    #expect(
      map.description == """
        0x0..<0xa0000 usable
        0x100000..<0x800000 usable
        0x800000..<0x808000 ACPI NVS
        0x808000..<0x80b000 usable
        0x80b000..<0x80c000 ACPI NVS
        0x80c000..<0x810000 usable
        0x810000..<0x900000 ACPI NVS
        0x900000..<0x20000000 usable
        0x20000000..<0x7df71000 usable, node 1
        0x7df71000..<0x7df86000 boot loader, node 1
        0x7df86000..<0x7ea8f000 usable, node 1
        0x7ea8f000..<0x7eb50000 reserved, node 1
        0x7eb50000..<0x7f4ed000 usable, node 1
        0x7f4ed000..<0x7f76d000 reserved, node 1
        0x7f76d000..<0x7f77f000 ACPI reclaimable, node 1
        0x7f77f000..<0x7f7ff000 ACPI NVS, node 1
        0x7f7ff000..<0x7ff40000 usable, node 1
        0x7ff40000..<0x7ff60000 reserved, node 1
        0x7ff60000..<0x80000000 ACPI NVS, node 1
        """)
  }

  @Test func readsTheMapOfUEFIOnAArch64() throws {
    let table = try MapFixtures.hexadecimal("uefi-aavmf.txt")
    var map = MemoryMap(entries: 2 * table.count / 48)
    let report = try map.add(uefi: table.span.bytes, descriptorByteCount: 48)
    #expect(report.isClean)
    #expect(
      map.description == """
        0x4000000..<0x8000000 reserved
        0x9010000..<0x9011000 reserved
        0x40000000..<0x7c41b000 usable
        0x7c41b000..<0x7c430000 boot loader
        0x7c430000..<0x7c440000 ACPI reclaimable
        0x7c440000..<0x7c730000 reserved
        0x7c730000..<0x7fc00000 usable
        0x7fc00000..<0x7ffe0000 reserved
        0x7ffe0000..<0x80000000 usable
        """)
  }

  /// What the type alone does not say: memory that is no ordinary memory, and sizes past the address space.
  @Test func reservesMemoryThatUEFISetsApart() throws {
    func descriptor(_ type: UInt32, _ start: UInt64, _ pages: UInt64, _ attributes: UInt64) -> [UInt8] {
      FirmwareTables.littleEndian(UInt64(type)) + FirmwareTables.littleEndian(start)
        + FirmwareTables.littleEndian(UInt64(0)) + FirmwareTables.littleEndian(pages)
        + FirmwareTables.littleEndian(attributes)
    }
    let table =
      descriptor(7, 0x1000, 1, 0xF) + descriptor(7, 0x2000, 1, 0x4_000F) + descriptor(7, 0x3000, 1, 1)
      + descriptor(7, 0x4000, 1, 1 << 63 | 0xF) + descriptor(14, 0x5000, 1, 0xF) + descriptor(15, 0x6000, 1, 0xF)
      + descriptor(8, 0x7000, 1, 0xF) + descriptor(7, 0, 1 << 52, 0xF) + descriptor(7, 0x8000, .max, 0xF)
    var map = MemoryMap(entries: 16)
    let report = try map.add(uefi: table.span.bytes, descriptorByteCount: 40)
    #expect(report.skippedCount == 2)
    #expect(report.firstFlawedEntry == 7)
    #expect(
      map.description == """
        0x1000..<0x2000 usable
        0x2000..<0x7000 reserved
        0x7000..<0x8000 bad
        """)
    #expect(throws: MemoryMapError.entrySize(36)) { try map.add(uefi: table.span.bytes, descriptorByteCount: 36) }
    #expect(throws: MemoryMapError.truncated(byteCount: 360, needed: 384)) {
      try map.add(uefi: table.span.bytes, descriptorByteCount: 48)
    }
  }

  @Test func refusesDamagedSRATs() throws {
    let good = try MapFixtures.hexadecimal("srat-ovmf.txt")
    var map = MemoryMap(entries: 8)
    try map.add(AddrRange(0, 0x8000_0000), .usable)
    var bad = good
    bad[60] ^= 1
    #expect(throws: MemoryMapError.checksum) { try map.setNodes(srat: bad.span.bytes) }
    bad = good
    bad[0] = 0
    #expect(throws: MemoryMapError.magic(0x5441_5200)) { try map.setNodes(srat: bad.span.bytes) }
    for byteCount in 0..<good.count {
      #expect(throws: MemoryMapError.self) { try map.setNodes(srat: good.span.bytes.extracting(0..<byteCount)) }
    }
    // A structure of no length would never end.
    bad = good
    bad[9] = bad[9] &+ bad[49]
    bad[49] = 0
    #expect(throws: MemoryMapError.entrySize(0)) { try map.setNodes(srat: bad.span.bytes) }
    #expect(map.description == "0x0..<0x80000000 usable")
  }
}
