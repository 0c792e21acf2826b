import Addresses
import BuddyFrames
import LabTestSupport
import MemoryMaps
import Testing

@Suite struct BuddyFramesExample {
  @Test func framesFromAMemoryMap() throws {
    let list = TestMemory(byteCount: MemoryMap.byteCount(forEntries: 16))
    var map = MemoryMap(in: list.range)
    try map.add(AddrRange(start: PhysAddr(0), byteCount: 64 << 20), .usable)
    try map.add(AddrRange(start: PhysAddr(1 << 20), byteCount: 8 << 20), .kernel)
    let memory = TestMemory(byteCount: SparseFrames.byteCount(forMemoryOf: map))
    let storage = memory.range
    // BEGIN
    var frames = SparseFrames(memoryMap: map, in: storage, holding: .anything)
    let small = frames.allocate(.size4KiB)  // the lowest free frame
    let large = frames.allocate(.size2MiB)  // 512 frames at a multiple of 2 MiB
    if let small { frames.deallocate(small) }
    // END
    #expect(small?.start == PhysAddr(4096))
    #expect(large?.start == PhysAddr(10 << 20))
    #expect(frames.freeFrameCount == (56 << 20) / 4096 - 1 - 512)
  }
}
