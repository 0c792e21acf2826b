import Addresses
import BuddyFrames
import LabTestSupport
import MemoryMaps
import Testing

/// From a memory map to frames.
@Suite struct SparseFramesMapTests {
  private func makeFrames(_ map: borrowing MemoryMap, _ selection: MemorySelection = MemorySelection()) -> SparseFrames
  {
    let byteCount = SparseFrames.byteCount(forMemoryOf: map, selection)
    return SparseFrames(memoryMap: map, selection, in: TableMemory.leaked(byteCount: byteCount), holding: .zeros)
  }

  @Test func framesComeFromUsableMemoryOnly() throws {
    var map = MemoryMap(entries: 128)
    try map.add(e820: FirmwareTables.e820(fromLinux: FirmwareTables.linuxFirecracker24GiB).span.bytes)
    try map.add(AddrRange(0x100_0000, 0x345_6789), .kernel)
    try map.add(AddrRange(0x800_0000, 0x900_0000), .bootloader)
    var frames = makeFrames(map)
    #expect(frames.bankCount == 2)
    try frames.checkReservations(of: map)
    // 0x9F whole frames below 640 KiB except frame 0; 3 GiB less 1 MiB, the kernel and the loader; 21 GiB above.
    let kernelFrames: UInt64 = 0x3457 - 0x1000
    #expect(frames.freeFrameCount == 0x9E + (0xC0000 - 0x100) - kernelFrames - 0x1000 + (21 << 18))
    #expect(frames.allocate(.size1GiB)?.start == PhysAddr(0x4000_0000))
    #expect(frames.allocate(.min) == PhysAddr(0x1000))
    #expect(frames.allocate(.size2MiB)?.start == PhysAddr(0x20_0000))
    #expect(frames.reclaim(.bootloader, in: &map) == 0x1000)
    #expect(map.byteCount(of: .bootloader) == 0)
    #expect(frames.use(of: PhysAddr(0x800_0000)) == .free)
  }

  @Test func reclaimingLeavesTheFrameAtAddress0() throws {
    var map = MemoryMap(entries: 128)
    try map.add(AddrRange(0, 0x3000), .bootloader)
    try map.add(AddrRange(0x3000, 0x8000), .usable)
    var frames = makeFrames(map)
    #expect(frames.reclaim(.bootloader, in: &map) == 2)
    #expect(frames.allocate(.min) == PhysAddr(0x1000))
    #expect(frames.reservedFrameCount == 1)
  }

  @Test func reclaimingGivesBackFramesThatBecomeWhole() throws {
    var map = MemoryMap(entries: 128)
    try map.add(AddrRange(0x10_0000, 0x10_4800), .usable)
    try map.add(AddrRange(0x10_4800, 0x10_6400), .acpiReclaimable)
    try map.add(AddrRange(0x10_6400, 0x10_6800), .bootloader)
    try map.add(AddrRange(0x10_6800, 0x10_6900), .acpiReclaimable)
    try map.add(AddrRange(0x10_6900, 0x10_9000), .usable)
    var frames = makeFrames(map)
    #expect(frames.freeFrameCount == 4 + 2)
    #expect(frames.reclaim(.acpiReclaimable, in: &map) == 2)
    try frames.checkReservations(of: map)
    #expect(frames.reclaim(.bootloader, in: &map) == 1)
    #expect(frames.reclaim(.bootloader, in: &map) == 0)
    #expect(frames.reservedFrameCount == 0)
    try frames.checkConsistency()
  }

  @Test func usableMemoryInsideOneFrameMakesNoFrames() throws {
    var map = MemoryMap(entries: 8)
    try map.add(AddrRange(0x1100, 0x1200), .usable)
    var frames = makeFrames(map)
    #expect(frames.bankCount == 0)
    #expect(frames.freeFrameCount == 0)
    #expect(frames.allocate(.min) == nil)
    #expect(frames.allocate(FrameOrder(3)) == nil)
    try map.add(AddrRange(0xF800, 0x1_0800), .usable)
    #expect(makeFrames(map).freeFrameCount == 0)
  }

  /// 3 GiB from 1 MiB and 1 GiB at 1 TiB: at most 1.1 % of it is frame table.
  @Test func theTableIsWhereMemoryIs() throws {
    var map = MemoryMap(entries: 8)
    try map.add(AddrRange(0x10_0000, 0xC000_0000), .usable)
    try map.add(AddrRange(1 << 40, (1 << 40) + (1 << 30)), .usable)
    let byteCount = UInt64(SparseFrames.byteCount(forMemoryOf: map))
    #expect(byteCount < map.byteCount(of: .usable) / 1000 * 4)
    #expect(byteCount > map.byteCount(of: .usable) / 256)
    var high = MemoryMap(entries: 8)
    try high.add(AddrRange(1 << 40, (1 << 40) + (4 << 30)), .usable)
    #expect(UInt64(SparseFrames.byteCount(forMemoryOf: high)) < (4 << 30) / 1000 * 4)
  }

  /// Small holes lie in one bank; other nodes' memory never does.
  @Test func banksEndAtLargeHolesAndAtOtherNodes() throws {
    var map = MemoryMap(entries: 700)
    for index in UInt64(0)..<156 {
      try map.add(AddrRange(0x100_0000 + index * 0x20000, 0x100_0000 + index * 0x20000 + 0x10000), .usable)
    }
    #expect(makeFrames(map).bankCount == 1)
    #expect(makeFrames(map).freeFrameCount == 156 * 16)
    try map.setNode(1, of: AddrRange(0x102_0000, 0x103_0000))
    let mine = makeFrames(map, MemorySelection(onNode: 0))
    #expect(mine.bankCount == 2)
    #expect(mine.freeFrameCount == 155 * 16)
    #expect(makeFrames(map, MemorySelection(onNode: 1)).freeFrameCount == 16)
    try map.add(AddrRange(0x1000_0000, 0x1001_0000), .usable)
    #expect(makeFrames(map).bankCount == 2)
  }

  /// The early allocator takes memory, the frame table among it, and the frames find it in use.
  @Test func takesOverWhatWasAllocatedEarly() throws {
    let ram = TableMemory(byteCount: 64 << 20)
    let mapper = TestMapper(memory: ram.range, start: PhysAddr(1 << 30))
    var map = MemoryMap(entries: 32)
    try map.add(AddrRange(start: PhysAddr(1 << 30), byteCount: 64 << 20), .usable)
    let early = try unwrapped(try map.allocate(byteCount: 0x5000))
    let temporary = try unwrapped(try map.allocate(byteCount: 0x3000, as: .bootloader))
    guard var frames = try SparseFrames(takingOver: &map, mapper: mapper) else { throw NoMemory() }
    #expect(frames.freeFrameCount << 12 == map.byteCount(of: .usable))
    #expect(map.byteCount(of: .kernel) > (64 << 20) / 256)
    #expect(frames.use(of: early.start) != .free)
    while let address = frames.allocate(.min) {
      let frame = AddrRange(start: address, byteCount: 4096)
      try #require(!frame.overlaps(early) && !frame.overlaps(temporary))
    }
    #expect(frames.reclaim(.bootloader, in: &map) == 3)
    frames.unreserve(early)
    #expect(frames.freeFrameCount == 8)
    try frames.checkConsistency()
  }

  @Test func withoutRoomForItsTableThereIsNoAllocator() throws {
    let ram = TableMemory(byteCount: 0x10000)
    var map = MemoryMap(entries: 8)
    try map.add(AddrRange(start: PhysAddr(1 << 30), byteCount: 0x10000), .usable)
    let mapper = TestMapper(memory: ram.range, start: PhysAddr(1 << 30))
    let bounds = AddrRange(start: PhysAddr(1 << 30), byteCount: 0x800)
    var isThere = false
    if let _ = try SparseFrames(takingOver: &map, tableWithin: bounds, mapper: mapper) { isThere = true }
    #expect(!isThere)
  }
}

/// An allocator that should have been there is not.
private struct NoMemory: Error {}

extension SparseFrames {
  /// Throws unless exactly the wholly usable frames are free, frame 0 excepted.
  fileprivate mutating func checkReservations(of map: borrowing MemoryMap) throws {
    var usable: [AddrRange<PhysAddr>] = []
    map.forEachRange {
      $0.kind == .usable
    } _: {
      usable.append($0.alignedInward(to: 4096))
    }
    var count: UInt64 = 0
    for range in usable where !range.isEmpty {
      let frames = range.start.isNull ? AddrRange(start: PhysAddr(4096), end: range.end) : range
      let isFree = withBank(containing: frames.start) { $0.isFree(frames) }
      #expect(isFree)
      count += frames.byteCount >> 12
    }
    #expect(freeFrameCount == count)
  }
}
