import Addresses
import BuddyFrames
import LabTestSupport
import MemoryRegions
import PageTables
import Testing

/// Address spaces over the real frame allocator: its counts must balance.
@Suite struct AddressSpaceOverBuddyTests {
  typealias Space = AddressSpace<X86FourLevel, OffsetPhysMapper>

  @Test(arguments: [LargePagePolicy.never, .always, .dynamic])
  func everyFrameComesBack(policy: LargePagePolicy) throws {
    let memory = try MemoryRegion(reserving: 64 << 20, alignment: 2 << 20)
    try memory.commit()
    let physical = AddrRange(start: PhysAddr(1 << 30), byteCount: UInt64(memory.byteCount))
    let tableByteCount = VirtAddr(BuddyFrames.tableByteCount(for: physical)).alignedUp(to: 4096).raw
    let table = try MemoryRegion(reserving: tableByteCount)
    try table.commit()
    var frames = BuddyFrames(over: physical, tableIn: table.range, holding: .zeros)
    let freeAtFirst = frames.freeFrameCount
    let mapper = OffsetPhysMapper(physical, at: memory.start)
    var tlb = CountingTLB()

    let managed = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x7FFF_FFFF_F000))
    var parent = try Space(managing: managed, mapper: mapper, policy: policy, &frames)
    let range = AddrRange(start: VirtAddr(0x20_0000), byteCount: 16 << 20)
    try parent.addRegion(range, .userData, &frames)
    var generator = SeededGenerator(seed: 7)
    func touch(_ space: inout Space, _ count: Int) throws {
      for _ in 0..<count {
        let address = range.start + UInt.random(in: 0..<4096, using: &generator) * 4096
        let isWritable = (try? space.translatedPermissions(address))?.contains(.write) ?? false
        if !isWritable { _ = try space.handleFault(address, .write, &frames, &tlb) }
      }
    }
    try touch(&parent, 3000)
    var child = try parent.fork(&frames, &tlb)
    try touch(&parent, 300)
    try touch(&child, 300)
    try parent.unmap(AddrRange(start: range.start + 12288, byteCount: 5 << 20), &frames, &tlb)
    var grandchild = try child.fork(&frames, &tlb)
    try child.protect(AddrRange(start: range.start, byteCount: 3 << 20), .userReadOnly, &frames, &tlb)
    try touch(&grandchild, 1000)
    child.deallocate(&frames)
    parent.deallocate(&frames)
    grandchild.deallocate(&frames)
    #expect(frames.freeFrameCount == freeAtFirst)
  }
}

extension AddressSpace {
  /// The permissions of a mapped page.
  func translatedPermissions(_ address: VirtAddr) throws(TranslationError) -> MemPerm {
    try table.translate(address).permissions
  }
}
