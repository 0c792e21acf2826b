import Addresses
import PageTables
import Testing

@Suite struct AddressSpaceTests {
  typealias Process = TestProcess<X86FourLevel>

  @Test func pagesAreFilledWithZerosWhenTouched() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let range = try process.space.addRegion(byteCount: 1 << 20, .userData, &frames)
    #expect(frames.usedCount == 2)
    #expect(try process.read(range.start + 0x5008, &frames) == 0)
    #expect(process.space.statistics.smallFillCount == 1)
    // Three tables and a page.
    #expect(frames.usedCount == 6)
    try process.write(42, at: range.start + 0x5008, &frames)
    #expect(try process.read(range.start + 0x5008, &frames) == 42)
    #expect(process.space.statistics.faultCount == 1)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func accessIsRefusedWithAReason() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let base = VirtAddr(0x10_0000)
    try process.space.addRegion(AddrRange(start: base, byteCount: 4096), .userReadOnly, for: .code, &frames)
    try process.space.addRegion(AddrRange(start: base + 4096, byteCount: 4096), .userData, for: .guardPages, &frames)
    try process.space.addRegion(AddrRange(start: base + 8192, byteCount: 4096), .kernelData, for: .data, &frames)
    #expect(throws: FaultRefusal.notPermitted(base, .userReadOnly)) { try process.write(1, at: base, &frames) }
    #expect(throws: FaultRefusal.notPermitted(base, .userReadOnly)) { _ = try process.access(base, .execute, &frames) }
    #expect(throws: FaultRefusal.guardPage(base + 4096)) { try process.read(base + 4096, &frames) }
    #expect(throws: FaultRefusal.notPermitted(base + 8192, .kernelData)) { try process.read(base + 8192, &frames) }
    #expect(throws: FaultRefusal.noRegion(base + 12288)) { try process.read(base + 12288, &frames) }
    let filled = try process.space.handleFault(base + 8192, .write, fromUser: false, &frames, &process.tlb)
    #expect(filled == .filled(.size4KiB))
    frames.allocationsLeft = 0
    #expect(throws: FaultRefusal.outOfFrames(Page(start: base))) { try process.read(base, &frames) }
    for refusal in [FaultRefusal.noRegion(base), .guardPage(base), .notPermitted(base, .userData)] {
      #expect("\(refusal)".hasPrefix("0x100000: "))
    }
    #expect("\(FaultRefusal.outOfFrames(Page(start: base)))".hasPrefix("4 KiB page at 0x100000: "))
  }

  @Test func stacksGrowDownToTheirGuard() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let reach = AddrRange(start: VirtAddr(0x10_0000), byteCount: 16 * 4096)
    try process.space.addStack(reach, .userData, &frames)
    try process.write(1, at: reach.end - 8, &frames)
    try process.write(2, at: reach.start + 8 * 4096, &frames)
    #expect(process.space.region(containing: reach.end - 8)?.start == reach.start + 8 * 4096)
    try process.write(3, at: reach.start + 4096, &frames)
    #expect(throws: FaultRefusal.guardPage(reach.start + 4088)) {
      try process.write(4, at: reach.start + 4088, &frames)
    }
    #expect(throws: FaultRefusal.noRegion(reach.start - 8)) { try process.write(4, at: reach.start - 8, &frames) }
    // The room that the stack may still need is not available.
    #expect(throws: AddressSpaceError.overlaps(reach)) {
      try process.space.addRegion(AddrRange(start: reach.start, byteCount: 4096), .userData, &frames)
    }
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func roomIsFoundFirstFit() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let first = try process.space.addRegion(byteCount: 3 * 4096, .userData, &frames)
    #expect(first.start == Process.heap.start)
    let guarded = try process.space.addRegion(byteCount: 4096, .userData, guardByteCount: 8192, &frames)
    #expect(guarded.start == first.end + 8192)
    let aligned = try process.space.addRegion(byteCount: 5000, .userData, alignment: 2 << 20, &frames)
    #expect(aligned == AddrRange(start: VirtAddr(2 << 20), byteCount: 8192))
    // The gap between the first two regions is the lowest that holds a page.
    #expect(try process.space.addRegion(byteCount: 4096, .userData, &frames).start == first.end)
    #expect(throws: AddressSpaceError.noRoom(1 << 40)) {
      try process.space.addRegion(byteCount: 1 << 40, .userData, &frames)
    }
    #expect(process.space.findFreeRange(.max) == nil)
  }

  @Test func badRangesAreRefused() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let odd = AddrRange(start: VirtAddr(0x1001), byteCount: 4096)
    #expect(throws: AddressSpaceError.misaligned(VirtAddr(0x1001))) {
      try process.space.addRegion(odd, .userData, &frames)
    }
    let outside = AddrRange(start: VirtAddr(0), byteCount: 8192)
    #expect(throws: AddressSpaceError.outside(outside)) { try process.space.addRegion(outside, .userData, &frames) }
    #expect(throws: AddressSpaceError.noRegion(VirtAddr(0x1000))) {
      let range = AddrRange(start: VirtAddr(0x1000), byteCount: 4096)
      try process.space.protect(range, .userData, &frames, &process.tlb)
    }
    let root = process.space.table.root
    #expect(throws: AddressSpaceError.tableFrame(root)) {
      let frame = AddrRange(start: root, byteCount: 4096)
      try process.space.addRegion(frame, .userData, at: VirtAddr(0x1000), &frames)
    }
    let high = AddrRange(start: PhysAddr(1 << 52), byteCount: 4096)
    #expect(throws: AddressSpaceError.unreachableFrames(high.start)) {
      try process.space.addRegion(high, .userData, at: VirtAddr(0x1000), &frames)
    }
    #expect(process.space.regionCount == 0)
    frames.allocationsLeft = 0
    #expect(throws: AddressSpaceError.outOfFrames) { _ = try Process(&frames) }
    frames.allocationsLeft = 1
    #expect(throws: AddressSpaceError.outOfFrames) { _ = try Process(&frames) }
    #expect(frames.usedCount == 2)
    let texts = [
      AddressSpaceError.noRoom(8), .overlaps(odd), .misaligned(odd.start), .outside(odd), .outOfFrames,
      .tableFrame(root), .unreachableFrames(root), .noRegion(odd.start),
    ].map { "\($0)" }
    #expect(Set(texts).count == texts.count)
    #expect(texts[1] == "a region stands at 0x1001..<0x2001 already; unmap it first")
  }

  @Test func fixedFramesStayWithTheirOwner() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let allocated = frames.allocate(.size2MiB)
    let frame = try #require(allocated)
    let start = VirtAddr(0x20_0000)
    try process.space.addRegion(frame.range, .userData, at: start, &frames)
    #expect(try process.space.table.translate(start).size == .size2MiB)
    try process.write(7, at: start + 4096, &frames)
    var child = try process.fork(&frames)
    try child.write(8, at: start + 4096, &frames)
    #expect(try process.read(start + 4096, &frames) == 8)
    let part = AddrRange(start: start + 4096, byteCount: 4096)
    try process.space.unmap(part, &frames, &process.tlb)
    #expect(throws: FaultRefusal.noRegion(part.start)) { try process.read(part.start, &frames) }
    #expect(try process.read(part.end, &frames) == frames.word(frame.start + 8192))
    child.exit(&frames)
    process.exit(&frames)
    #expect(frames.usedCount == 1)
    frames.deallocate(frame)
  }

  @Test func protectionChangesAndContentStays() throws {
    var frames = TestFrames()
    var process = try Process(&frames)
    let range = try process.space.addRegion(byteCount: 16384, .userData, &frames)
    try process.write(5, at: range.start + 4096, &frames)
    let page = AddrRange(start: range.start + 4096, byteCount: 4096)
    for permissions in [MemPerm.userReadOnly, MemPerm()] {
      try process.space.protect(page, permissions, &frames, &process.tlb)
      #expect(throws: FaultRefusal.notPermitted(page.start, permissions)) {
        try process.write(6, at: page.start, &frames)
      }
    }
    #expect(throws: FaultRefusal.notPermitted(page.start, MemPerm())) { try process.read(page.start, &frames) }
    #expect(process.space.regionCount == 3)
    try process.space.protect(range, .userData, &frames, &process.tlb)
    #expect(try process.read(page.start, &frames) == 5)
    try process.write(6, at: page.start, &frames)
    #expect(process.space.statistics.madeWritableCount == 1)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }
}
