import Addresses
import PageTables
import Testing

extension AddressSpace {
  /// All regions, in address order.
  var allRegions: [VirtualRegion] {
    var all: [VirtualRegion] = []
    forEachRegion { all.append($0) }
    return all
  }
}

@Suite struct AddressSpaceRegionsTests {
  typealias Process = TestProcess<X86FourLevel>

  private func pages(_ first: UInt, _ count: UInt) -> AddrRange<VirtAddr> {
    AddrRange(start: VirtAddr(0x10_0000 + first * 4096), byteCount: count * 4096)
  }

  // MARK: Merging

  @Test func protectingBackAndForthLeavesOneRegion() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    try process.space.addRegion(pages(0, 256), .userData, &frames)
    for index in 0..<UInt(60) {
      try process.space.protect(pages(index * 2, 1), .userReadOnly, &frames, &process.tlb)
      #expect(process.space.regionCount == (index == 0 ? 2 : 3))
      try process.space.protect(pages(index * 2, 1), .userData, &frames, &process.tlb)
      #expect(process.space.regionCount == 1)
    }
    #expect(process.space.allRegions.first?.range == pages(0, 256))
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func aProtectWithoutEffectDoesNothing() throws {
    var frames = TestFrames()
    var process = try Process(policy: .always, &frames)
    let block = AddrRange(start: VirtAddr(0x20_0000), byteCount: 2 << 20)
    try process.space.addRegion(block, .userData, &frames)
    try process.space.addRegion(AddrRange(start: block.end, byteCount: 4096), .userReadOnly, &frames)
    try process.write(1, at: block.start, &frames)
    let before = frames.snapshot()
    frames.allocationsLeft = 0
    try process.space.protect(
      AddrRange(start: block.start + 4096, byteCount: 4096), .userData, &frames, &process.tlb)
    #expect(process.space.regionCount == 2)
    #expect(process.tlb.callCount == 0 && process.tlb.fullCount == 0)
    // The end of this range lies in a region that has the permissions; only the start splits.
    frames.allocationsLeft = nil
    let both = AddrRange(start: block.end - 4096, byteCount: 8192)
    try process.space.protect(both, .userReadOnly, &frames, &process.tlb)
    #expect(process.space.allRegions.map(\.range.byteCount) == [(2 << 20) - 4096, 8192])
    #expect(frames.snapshot().count > before.count)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func newRegionsJoinTheirNeighbours() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    try process.space.addRegion(pages(0, 2), .userData, &frames)
    try process.space.addRegion(pages(4, 2), .userData, &frames)
    #expect(process.space.regionCount == 2)
    // Joining needs no frame.
    frames.allocationsLeft = 0
    try process.space.addRegion(pages(2, 1), .userData, &frames)
    #expect(process.space.allRegions.map(\.range) == [pages(0, 3), pages(4, 2)])
    try process.space.addRegion(pages(3, 1), .userData, &frames)
    #expect(process.space.allRegions.map(\.range) == [pages(0, 6)])
    frames.allocationsLeft = nil
    // What differs stays apart.
    try process.space.addRegion(pages(6, 1), .userReadOnly, &frames)
    try process.space.addRegion(pages(7, 1), .userReadOnly, for: .code, &frames)
    try process.space.addRegion(pages(8, 1), .userReadOnly, for: .guardPages, &frames)
    #expect(process.space.regionCount == 4)
    // A gap that is mapped again closes without a trace.
    try process.space.unmap(pages(2, 2), &frames, &process.tlb)
    try process.space.addRegion(pages(2, 2), .userData, &frames)
    #expect(process.space.regionCount == 4)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func fixedFramesOfDifferentMemoryTypesStayApart() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let types = [MemoryType.device, .device, .writeCombining, .normal, .normal, .device]
    for (index, type) in types.enumerated() {
      let device = AddrRange(start: PhysAddr(1 << 32) + UInt64(index) * 4096, byteCount: 4096)
      try process.space.addRegion(device, .userData, as: type, at: pages(UInt(index), 1).start, &frames)
    }
    let wanted = [pages(0, 2), pages(2, 1), pages(3, 2), pages(5, 1)]
    #expect(process.space.allRegions.map(\.range) == wanted)
    #expect(process.space.allRegions.map(\.memoryType) == [.device, .writeCombining, .normal, .device])
    // Other memory beside them is no part of them, and a change of permissions keeps the types.
    try process.space.addRegion(pages(6, 1), .userData, &frames)
    try process.space.protect(pages(0, 7), .userReadOnly, &frames, &process.tlb)
    #expect(process.space.allRegions.map(\.range) == wanted + [pages(6, 1)])
    for (index, type) in types.enumerated() {
      #expect(try process.space.table.translate(pages(UInt(index), 1).start).memoryType == type)
    }
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func stacksStayApart() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    try process.space.addStack(pages(0, 16), .userData, &frames)
    try process.space.addStack(pages(16, 16), .userData, &frames)
    for page in UInt(1)..<16 {
      try process.write(1, at: pages(page, 1).start, &frames)
      try process.write(1, at: pages(16 + page, 1).start, &frames)
    }
    #expect(process.space.allRegions.map(\.range) == [pages(1, 15), pages(17, 15)])
    // The parts of a stack that was cut by permissions are one again, and it still grows to its limit only.
    try process.space.protect(pages(20, 4), .userReadOnly, &frames, &process.tlb)
    #expect(process.space.regionCount == 4)
    try process.space.protect(pages(20, 4), .userData, &frames, &process.tlb)
    #expect(process.space.allRegions.map(\.reach) == [pages(0, 16), pages(16, 16)])
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  // MARK: Any number, in single frames

  @Test func regionsNeedNoFrameButSmallOnes() throws {
    // 8 MiB without a free 2 MiB frame.
    var frames = TestFrames()
    var process = try Process(&frames)
    while frames.allocate(.size2MiB) != nil {}
    for index in 0..<UInt(300) {
      let place = pages(index * 7 % 300 * 2, 1)
      try process.space.addRegion(place, .userData, &frames)
    }
    #expect(process.space.regionCount == 300)
    #expect(process.space.allRegions.map(\.range) == (0..<300).map { pages($0 * 2, 1) })
    #expect(process.space.regionFrameCount <= 7)
  }

  @Test func moreRegionsThanALargeFrameHolds() throws {
    var frames = TestFrames(byteCount: 16 << 20)
    var process = try Process(&frames)
    for _ in 0..<70_000 {
      _ = try process.space.addRegion(byteCount: 4096, .userData, guardByteCount: 4096, &frames)
    }
    #expect(process.space.regionCount == 70_000)
    let last = AddrRange(start: Process.heap.start + 69_999 * 8192, byteCount: 4096)
    #expect(process.space.region(containing: last.start)?.range == last)
    try process.write(7, at: last.start, &frames)
    try process.space.unmap(Process.heap, &frames, &process.tlb)
    #expect(process.space.regionCount == 0 && process.space.regionFrameCount == 1)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func aWholeRegionNeedsNoFrameToGo() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    for index in 0..<UInt(400) {
      try process.space.addRegion(pages(index * 4, 3), .userData, &frames)
    }
    frames.allocationsLeft = 0
    var refusalCount = 0
    for index in 0..<UInt(400) where index % 2 == 0 {
      // A part from the middle may need a frame, and is refused as a whole.
      let count = process.space.regionCount
      do {
        try process.space.unmap(pages(index * 4 + 1, 1), &frames, &process.tlb)
        #expect(process.space.regionCount == count + 1)
      } catch {
        #expect(error == .outOfFrames && process.space.regionCount == count)
        refusalCount += 1
      }
      try process.space.unmap(pages(index * 4, 3), &frames, &process.tlb)
    }
    #expect(process.space.regionCount == 200 && refusalCount > 0)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  // MARK: The end of the address space

  @Test func aSpaceMayEndAtTheLastAddress() throws {
    var frames = TestFrames()
    let top = VirtAddr(.max)
    let managed = AddrRange(start: VirtAddr(0xFFFF_0000_0000_0000), through: top)
    var process = TestProcess(
      try AddressSpace<AArch64Upper, OffsetPhysMapper>(
        managing: managed, mapper: frames.mapper, policy: .never, &frames))
    let last = AddrRange(start: VirtAddr(0xFFFF_FFFF_FFFF_C000), through: top)
    try process.space.addRegion(last, .userData, &frames)
    try process.write(5, at: VirtAddr(0xFFFF_FFFF_FFFF_FFF8), &frames)
    #expect(try process.read(VirtAddr(0xFFFF_FFFF_FFFF_FFF8), &frames) == 5)
    #expect(process.space.region(containing: top)?.range == last)
    let upper = AddrRange(start: VirtAddr(0xFFFF_FFFF_FFFF_F000), through: top)
    try process.space.protect(upper, .userReadOnly, &frames, &process.tlb)
    #expect(process.space.allRegions.map(\.last) == [upper.start - 1, top])
    #expect(throws: FaultRefusal.notPermitted(upper.start, .userReadOnly)) {
      try process.write(1, at: upper.start, &frames)
    }
    var child = try process.fork(&frames)
    #expect(try child.read(VirtAddr(0xFFFF_FFFF_FFFF_FFF8), &frames) == 5)
    child.exit(&frames)
    try process.space.protect(last, .userReadOnly, &frames, &process.tlb)
    #expect(process.space.regionCount == 1)
    try process.space.unmap(managed, &frames, &process.tlb)
    #expect(process.space.regionCount == 0)
    // All of the managed addresses but a page: the page left over is the last one.
    let all = AddrRange(start: managed.start, through: upper.start - 1)
    try process.space.addRegion(all, .userData, &frames)
    #expect(process.space.findFreeRange(4096) == upper)
    #expect(process.space.findFreeRange(8192) == nil)
    let found = try process.space.addRegion(byteCount: 4096, .userData, &frames)
    #expect(found == upper && process.space.regionCount == 1)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func fixedFramesAndStacksMayEndThereToo() throws {
    var frames = TestFrames()
    let managed = AddrRange(start: VirtAddr(0xFFFF_FFFF_0000_0000), through: VirtAddr(.max))
    var process = TestProcess(
      try AddressSpace<AArch64Upper, OffsetPhysMapper>(
        managing: managed, mapper: frames.mapper, policy: .never, &frames))
    let device = AddrRange(start: PhysAddr(1 << 32), byteCount: 8192)
    try process.space.addRegion(device, .userData, at: VirtAddr(0xFFFF_FFFF_FFFF_E000), &frames)
    #expect(try process.space.table.translate(VirtAddr(.max)).physical == device.end - 1)
    #expect(throws: AddressSpaceError.self) {
      try process.space.addRegion(device, .userData, at: VirtAddr(0xFFFF_FFFF_FFFF_F000), &frames)
    }
    try process.space.unmap(managed, &frames, &process.tlb)
    let stack = AddrRange(start: VirtAddr(0xFFFF_FFFF_FFFF_0000), through: VirtAddr(.max))
    try process.space.addStack(stack, .userData, &frames)
    try process.write(1, at: VirtAddr(.max - 7), &frames)
    try process.write(1, at: stack.start + 4096, &frames)
    #expect(throws: FaultRefusal.guardPage(stack.start)) { try process.write(1, at: stack.start, &frames) }
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }
}
