import Addresses
import LabTestSupport
import MemoryMaps
import Testing

@Suite struct MemoryMapsExample {
  @Test func memoryBeforeThereAreFrames() throws {
    let memory = TestMemory(byteCount: MemoryMap.byteCount(forEntries: 16))
    let storage = memory.range
    // BEGIN
    var map = MemoryMap(in: storage)
    try map.add(AddrRange(start: PhysAddr(0), byteCount: 64 << 20), .usable)
    try map.add(AddrRange(start: PhysAddr(1 << 20), byteCount: 8 << 20), .kernel)  // the stricter kind wins
    let early = try map.allocate(byteCount: 64 << 10)  // the highest that fits; in use from now on
    // END
    #expect(early == AddrRange(start: PhysAddr((64 << 20) - (64 << 10)), byteCount: 64 << 10))
    #expect(map.byteCount(of: .usable) == (56 << 20) - (64 << 10))
  }
}
