import Addresses
import LabTestSupport
import MemoryMaps
import Testing

@Suite struct DeviceTreeTests {
  private func map(of tree: [UInt8]) throws -> String {
    var map = MemoryMap(entries: 64)
    try map.add(deviceTree: tree.span.bytes)
    return map.description
  }

  @Test func readsQEMUsTreeWithItsNodes() throws {
    let tree = try MapFixtures.bytes(of: "aarch64-virt.dtb")
    #expect(try MemoryMap.byteCount(ofDeviceTree: tree.span.bytes.extracting(0..<8)) == tree.count)
    #expect(try map(of: tree) == "0x40000000..<0x80000000 usable\n0x80000000..<0x140000000 usable, node 1")
  }

  @Test func readsWhatOpenSBIReserved() throws {
    let tree = try MapFixtures.bytes(of: "riscv64-virt-opensbi.dtb")
    #expect(try map(of: tree) == "0x80000000..<0x80080000 reserved\n0x80080000..<0x88000000 usable")
  }

  /// The list of reservations, cells of /reserved-memory's own, a disabled node, and a pool without a place.
  @Test func readsEveryKindOfReservation() throws {
    #expect(
      try map(of: MapFixtures.bytes(of: "memreserve.dtb")) == """
        0x80000000..<0x80010000 reserved
        0x80010000..<0x81000000 usable
        0x81000000..<0x81200000 reserved
        0x81200000..<0x8fff0000 usable
        0x8fff0000..<0x90000000 reserved
        """)
  }

  /// A tree that breaks its format adds nothing.
  @Test(arguments: ["aarch64-virt.dtb", "riscv64-virt-opensbi.dtb", "memreserve.dtb"])
  func refusesTreesThatAreCutShort(name: String) throws {
    let tree = try MapFixtures.bytes(of: name)
    var map = MemoryMap(entries: 64)
    for byteCount in 0..<tree.count {
      #expect(throws: MemoryMapError.self) { try map.add(deviceTree: tree.span.bytes.extracting(0..<byteCount)) }
    }
    // The structure ends too early, although the blob does not.
    let byteCount = Int(tree[38]) << 8 | Int(tree[39])
    for shorter in stride(from: 0, to: byteCount, by: 4) {
      var cut = tree
      cut[38] = UInt8(shorter >> 8)
      cut[39] = UInt8(shorter & 0xFF)
      #expect(throws: MemoryMapError.self) { try map.add(deviceTree: cut.span.bytes) }
    }
    #expect(map.count == 0)
  }

  @Test func refusesWhatIsNoTree() throws {
    var tree = try MapFixtures.bytes(of: "memreserve.dtb")
    var map = MemoryMap(entries: 64)
    tree[0] = 0
    #expect(throws: MemoryMapError.magic(0x000D_FEED)) { try map.add(deviceTree: tree.span.bytes) }
    tree[0] = 0xD0
    tree[27] = 18
    #expect(throws: MemoryMapError.malformed(offset: 20)) { try map.add(deviceTree: tree.span.bytes) }
  }

  /// A reservation that wraps is clipped, and memory that wraps is skipped; neither costs the rest.
  @Test func reportsRangesPastTheLastAddress() throws {
    var tree = try MapFixtures.bytes(of: "memreserve.dtb")
    // The size of the first reservation, at the offset that the header says.
    let reservations = Int(tree[18]) << 8 | Int(tree[19])
    tree.replaceSubrange(reservations + 8..<reservations + 16, with: [UInt8](repeating: 0xFF, count: 8))
    var map = MemoryMap(entries: 64)
    let report = try map.add(deviceTree: tree.span.bytes)
    #expect(report.clippedCount == 1)
    #expect(report.firstFlawedEntry == 0)
    #expect(map.description == "0x80000000..<0x10000000000000 reserved")
  }
}
