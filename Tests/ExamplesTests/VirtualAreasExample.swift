import Addresses
import BuddyFrames
import LabTestSupport
import PageTables
import Testing
import VirtualAreas

@Suite struct VirtualAreasExample {
  @Test func aKernelStack() throws {
    let memory = TestMemory(byteCount: 1 << 20)
    let directMap = OffsetPhysMapper(over: memory.range, from: PhysAddr(1 << 20))
    let frameTable = TestMemory(byteCount: BuddyFrames.tableByteCount(for: directMap.frames))
    var frames = BuddyFrames(over: directMap.frames, tableIn: frameTable.range, holding: .anything)
    let freeFrameCount = frames.freeFrameCount
    var table = try PageTable<X86FourLevel, OffsetPhysMapper>(mapper: directMap, &frames)
    var tlb = NoTLB()
    // BEGIN
    let range = AddrRange(start: VirtAddr(0xFFFF_9000_0000_0000), byteCount: 1 << 30)
    var areas = try VirtualAreas(managing: range, mapper: directMap, &frames)
    let stack = try areas.allocateStack(in: &table, &frames, &tlb)
    let isGuarded = areas.area(containing: stack.start - 1) == nil  // an overflow faults there
    areas.deallocate(stack, in: &table, &frames, &tlb)  // unmapped later, many with one flush
    // END
    #expect(stack.byteCount == 16384 && isGuarded)
    areas.deallocate(in: &table, &frames, &tlb)
    table.deallocateWithKernelHalf(&frames)
    #expect(frames.freeFrameCount == freeFrameCount)
  }
}
