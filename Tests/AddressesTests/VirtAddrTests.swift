import Addresses
import Foundation
import LabTestSupport
import Testing

@Suite struct VirtAddrTests {
  @Test(arguments: [(VirtualAddressWidth.bits39, 39), (.bits48, 48), (.bits57, 57)] as [(VirtualAddressWidth, UInt)])
  func bothHalvesAreCanonicalAndTheGapIsNot(width: VirtualAddressWidth, bitCount: UInt) {
    let lowerEnd = UInt(1) << (bitCount - 1)
    let upperStart = UInt.max - lowerEnd + 1
    for raw in [0, 1, lowerEnd - 1, upperStart, .max] as [UInt] {
      #expect(VirtAddr(raw).isCanonical(width), "\(raw)")
      #expect(VirtAddr(raw).canonicalized(width) == VirtAddr(raw))
    }
    for raw in [lowerEnd, lowerEnd + 1, upperStart - 1, UInt(1) << 63, UInt(1) << bitCount] as [UInt] {
      #expect(!VirtAddr(raw).isCanonical(width), "\(raw)")
      let canonical = VirtAddr(raw).canonicalized(width)
      #expect(canonical.isCanonical(width))
      // The translated bits stay.
      #expect((canonical.raw ^ raw) & (1 << bitCount - 1) == 0)
    }
  }

  @Test func theUsualWidthIsFourLevels() {
    #expect(!VirtAddr(0x8000_0000_0000).isCanonical())
    #expect(VirtAddr(0x8000_0000_0000).isCanonical(.bits57))
    #expect(VirtAddr(0x8000_0000_0000).canonicalized() == VirtAddr(0xFFFF_8000_0000_0000))
  }

  @Test func tableIndicesTakeNineBitsEach() {
    let address = VirtAddr(0x1_0100_C080_5006)
    #expect((0...4).map { address.tableIndex(level: $0) } == [5, 4, 3, 2, 1])
    #expect((0...4).map { VirtAddr(.max).tableIndex(level: $0) } == [511, 511, 511, 511, 511])
    #expect((0...4).map { VirtAddr.null.tableIndex(level: $0) } == [0, 0, 0, 0, 0])
  }

  @Test func indicesAndOffsetMakeTheAddressAgain() {
    let seed: UInt64 = 7
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<1000 {
      let address = VirtAddr(UInt(truncatingIfNeeded: generator.next())).canonicalized(.bits57)
      var raw = address.pageOffset()
      for level in 0...4 { raw |= UInt(address.tableIndex(level: level)) << (12 + 9 * UInt(level)) }
      #expect(VirtAddr(raw).canonicalized(.bits57) == address, "seed \(seed)")
      #expect(address.pageOffset(.size2MiB) == address.raw % (2 << 20))
      #expect(address.pageOffset(.size1GiB) == address.raw % (1 << 30))
    }
  }

  @Test(arguments: [-1, 5, .max, .min])
  func noOtherLevelHasATable(level: Int) async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      [level] in
      _ = VirtAddr(0).tableIndex(level: level)
    }
    let found = String(UInt64(bitPattern: Int64(level)), radix: 16)
    #expect(text(of: result) == "heaplab: a page-table level must be 0 to 4, found: 0x\(found)\n")
  }
}
