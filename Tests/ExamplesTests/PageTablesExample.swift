import Addresses
import BuddyFrames
import LabTestSupport
import PageTables
import Testing

/// Counts the pages that it is asked to invalidate.
private struct CountingTLB: TLBInvalidator {
  var pageCount: UInt64 = 0

  mutating func invalidate(_ start: VirtAddr, pageCount: UInt64) { self.pageCount += pageCount }
  mutating func invalidateAll() {}
}

@Suite struct PageTablesExample {
  @Test func aMapping() throws {
    let memory = TestMemory(byteCount: 1 << 20)
    let directMap = OffsetPhysMapper(over: memory.range, from: PhysAddr(1 << 20))
    let frameTable = TestMemory(byteCount: BuddyFrames.tableByteCount(for: directMap.frames))
    var frames = BuddyFrames(over: directMap.frames, tableIn: frameTable.range, holding: .anything)
    let frame = try unwrapped(frames.allocate(.size4KiB))
    var tlb = CountingTLB()
    // BEGIN
    var table = try PageTable<X86FourLevel, OffsetPhysMapper>(mapper: directMap, &frames)
    let page = Page(start: VirtAddr(0x4000_0000))
    let change = try table.map(page, to: frame, PageAttributes(.userData), &frames)
    change.flush(using: &tlb)  // a forgotten flush ends the program
    let physical = try table.translate(page.start + 5).physical
    let unmapped = try table.unmap(page).flush(using: &tlb)  // only then is the frame free to use
    table.deallocate(&frames)
    // END
    #expect(physical == frame.start + 5)
    #expect(unmapped == frame)
    #expect(tlb.pageCount == 2)
  }
}
