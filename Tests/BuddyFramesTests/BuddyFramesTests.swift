import Addresses
import BuddyFrames
import LabTestSupport
import Testing

@Suite struct BuddyFramesTests {
  @Test func givesOutTheLowestFrameFirst() {
    let range = AddrRange<PhysAddr>(frames: 1000, from: 5)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    for frame in 5..<1005 { #expect(frames.allocate(.min) == PhysAddr(UInt64(frame) << 12)) }
    #expect(frames.allocate(.min) == nil)
    #expect(frames.freeFrameCount == 0)
    // Holes are filled before anything above them, in whatever order they were made.
    for frame in [700, 12, 300] { frames.deallocate(PhysAddr(UInt64(frame) << 12), order: .min) }
    for frame in [12, 300, 700] { #expect(frames.allocate(.min) == PhysAddr(UInt64(frame) << 12)) }
  }

  @Test func servesEveryPageSize() throws {
    let range = AddrRange(start: PhysAddr(0x1_0000_0000), byteCount: 3 << 30)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    let small = try unwrapped(frames.allocate(.size4KiB))
    let large = try unwrapped(frames.allocate(.size2MiB))
    let huge = try unwrapped(frames.allocate(.size1GiB))
    #expect(small == Page(start: PhysAddr(0x1_0000_0000), size: .size4KiB))
    #expect(large == Page(start: PhysAddr(0x1_0020_0000), size: .size2MiB))
    #expect(huge == Page(start: PhysAddr(0x1_4000_0000), size: .size1GiB))
    #expect(frames.allocatedFrameCount == 1 + 512 + 262_144)
    frames.deallocate(huge)
    frames.deallocate(small)
    frames.deallocate(large)
    #expect(frames.freeBlocks[.max] == 3)
    #expect(frames.freeBlocks.blockCount == 3)
  }

  @Test(arguments: [UInt64(64) << 20, 1 << 30, 64 << 30, 1 << 40, 16 << 40])
  func anySizeStartsAtOnceAndTouchesLittle(byteCount: UInt64) throws {
    let range = AddrRange(start: PhysAddr(0x1234_5678_9000), byteCount: byteCount)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    #expect(frames.freeFrameCount == byteCount >> 12)
    let first = try unwrapped(frames.allocate(.min))
    #expect(first == range.start)
    let last = range.end - 4096
    #expect(frames.allocate(.min, at: last) == true)
    if byteCount <= 1 << 40 { #expect(memory.residentByteCount < 256 << 10) }
    frames.deallocate(first, order: .min)
    frames.deallocate(last, order: .min)
    #expect(frames.freeBlocks.frameCount == byteCount >> 12)
  }

  @Test func usesWholeFramesOnlyAndNeverAddress0() {
    let range = AddrRange(start: PhysAddr(0), end: PhysAddr(0x4FFF))
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    #expect(frames.range == AddrRange(start: PhysAddr(0), end: PhysAddr(0x4000)))
    #expect(frames.reservedFrameCount == 1)
    #expect(frames.allocate(.min) == PhysAddr(0x1000))
    #expect(frames.allocate(FrameOrder(1)) == PhysAddr(0x2000))
    #expect(frames.allocate(.min) == nil)
  }

  @Test func aRangeWithoutAFrameIsAFullOne() throws {
    let range = AddrRange(start: PhysAddr(0x1001), end: PhysAddr(0x2FFF))
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    #expect(frames.allocate(.min) == nil)
    #expect(frames.allocate(frameCount: 1) == nil)
    #expect(frames.freeFrameCount == 0)
    try frames.checkConsistency()
  }

  @Test func clearsATableThatHoldsAnything() throws {
    let range = AddrRange<PhysAddr>(frames: 5000, from: 70)
    let memory = TableMemory(for: range)
    // SAFETY: the test's own memory.
    unsafe memory.range.start.unsafePointer.initializeMemory(
      as: UInt8.self, repeating: 0xA5, count: Int(memory.range.byteCount))
    var frames = BuddyFrames(over: range, tableIn: memory.range, holding: .anything)
    try frames.checkConsistency()
    #expect(frames.freeFrameCount == 5000)
    #expect(frames.allocate(.min) == range.start)
  }

  @Test func aRunGivesItsTailBack() throws {
    let range = AddrRange<PhysAddr>(frames: 512, from: 512)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    let run = try unwrapped(frames.allocate(frameCount: 100))
    #expect(run == AddrRange(frames: 100, from: 512))
    #expect(frames.freeFrameCount == 412)
    #expect(frames.allocate(FrameOrder(2)) == PhysAddr((512 + 100) << 12))
    frames.deallocate(run)
    #expect(frames.freeFrameCount == 508)
    #expect(frames.allocate(frameCount: 513) == nil)
    #expect(frames.allocate(frameCount: 1 << 18 + 1) == nil)
  }

  @Test func bulkFillsAsFarAsItGoesOrNotAtAll() throws {
    let range = AddrRange<PhysAddr>(frames: 100, from: 3)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    var buffer = [PhysAddr](repeating: .null, count: 64)
    var span = buffer.mutableSpan
    #expect(frames.allocateAll(.min, into: &span) == true)
    #expect(buffer == (0..<64).map { PhysAddr((3 + $0) << 12) })
    var rest = [PhysAddr](repeating: .null, count: 64)
    span = rest.mutableSpan
    #expect(frames.allocateAll(.min, into: &span) == false)
    #expect(frames.freeFrameCount == 36)
    span = rest.mutableSpan
    #expect(frames.allocate(.min, into: &span) == 36)
    #expect(frames.freeFrameCount == 0)
    frames.deallocate(buffer.span, order: .min)
    frames.deallocate(rest.span.extracting(0..<36), order: .min)
    #expect(frames.freeFrameCount == 100)
    try frames.checkConsistency()
  }

  @Test func countsTheHoldersOfAFrame() throws {
    let range = AddrRange<PhysAddr>(frames: 2048, from: 512)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    for size in [PageSize.size4KiB, .size2MiB] {
      let frame = try unwrapped(frames.allocate(size))
      #expect(frames.referenceCount(of: frame) == 1)
      frames.retain(frame)
      frames.retain(frame)
      #expect(frames.referenceCount(of: frame) == 3)
      #expect(frames.release(frame) == false)
      #expect(frames.release(frame) == false)
      #expect(frames.release(frame) == true)
      #expect(frames.freeFrameCount == 2048)
      #expect(frames.use(of: frame.start) == .free)
    }
  }

  @Test func splittingKeepsTheHolders() throws {
    let range = AddrRange<PhysAddr>(frames: 1024, from: 512)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    let large = try unwrapped(frames.allocate(.size2MiB))
    frames.retain(large)
    frames.split(large.start, order: PageSize.size2MiB.order, into: .min)
    var pages = large.range.pages()
    while let page = pages.next() {
      #expect(frames.referenceCount(of: page) == 2)
      #expect(frames.release(page) == false)
      #expect(frames.release(page) == true)
    }
    #expect(frames.freeFrameCount == 1024)
    try frames.checkConsistency()
  }

  /// A block of every order, split into parts of every smaller order. The parts are freed one by one and merge; joined
  /// parts are freed as one.
  @Test func everyOrderSplitsIntoEveryOther() throws {
    let range = AddrRange(start: PhysAddr(0x4000_0000), byteCount: 2 << 30)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    for order in 0...UInt8(18) {
      for parts in max(order, 7) - 7...order {
        let (order, parts) = (FrameOrder(order), FrameOrder(parts))
        let block = try unwrapped(frames.allocate(order))
        frames.split(block, order: order, into: parts)
        frames.join(block, order: order, from: parts)
        frames.deallocate(block, order: order)
        try #require(frames.freeBlocks[.max] == 2)
        #expect(frames.allocate(order) == block)
        frames.split(block, order: order, into: parts)
        for part in stride(from: block.raw, to: block.raw + order.byteCount, by: Int(parts.byteCount)) {
          frames.deallocate(PhysAddr(part), order: parts)
        }
        try #require(frames.freeBlocks[.max] == 2, "\(order) into \(parts)")
        #expect(frames.isFree(range) == true)
      }
    }
  }

  @Test func reservedGibibytesCanBeMadeFreeInParts() throws {
    let range = AddrRange(start: PhysAddr(0x4000_0000), byteCount: 3 << 30)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    frames.reserve(range)
    #expect(frames.allocate(.min) == nil)
    for part in [(0x12_3000, 0x4567_8000), (0x4567_8000, 0x4567_9000), (0x4567_9000, 0xC000_0000), (0, 0x12_3000)] {
      let before = frames.freeFrameCount
      let part = AddrRange(start: range.start + UInt64(part.0), end: range.start + UInt64(part.1))
      frames.unreserve(part)
      #expect(frames.freeFrameCount == before + part.byteCount >> 12)
      #expect(frames.isFree(part) == true)
      #expect(frames.freeBlocks.frameCount == frames.freeFrameCount)
    }
    #expect(frames.freeBlocks[.max] == 3)
  }

  @Test func ownerWordsBelongToTheHolder() throws {
    let range = AddrRange<PhysAddr>(frames: 300, from: 77)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    let run = try unwrapped(frames.allocate(frameCount: 20))
    #expect(frames.table.owner(of: run.start) == 0)
    frames.table.setOwner(42, of: run)
    frames.table.setOwner(7, of: run.start + 4096)
    #expect(frames.table.owner(of: run.end - 1) == 42)
    #expect(frames.table.owner(of: run.start + 4097) == 7)
    #expect(frames.table.owner(of: run.end) == 0)
    frames.deallocate(run)
    try frames.checkConsistency()
  }

  @Test func tellsWhatAFrameIsUsedFor() throws {
    let range = AddrRange<PhysAddr>(frames: 4096, from: 1 << 18)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    let block = try unwrapped(frames.allocate(FrameOrder(4)))
    frames.reserve(AddrRange(frames: 64, from: (1 << 18) + 1024))
    #expect(frames.use(of: block + 0x5123) == .allocated(block, FrameOrder(4)))
    #expect(frames.use(of: block + 0x10000) == .free)
    let reserved = PhysAddr(((1 << 18) + 1024) << 12)
    #expect(frames.use(of: reserved + 0x2F000) == .reserved(reserved, FrameOrder(6)))
  }

  @Test func reservationsMayOverlapEachOther() throws {
    let range = AddrRange<PhysAddr>(frames: 4096, from: 1 << 18)
    let memory = TableMemory(for: range)
    var frames = memory.frames(over: range)
    frames.reserve(AddrRange(frames: 100, from: (1 << 18) + 10))
    frames.reserve(AddrRange(frames: 100, from: (1 << 18) + 60))
    frames.reserve(AddrRange(start: range.start + 100, byteCount: 1))
    #expect(frames.reservedFrameCount == 151)
    #expect(frames.freeFrameCount == 4096 - 151)
    try frames.checkConsistency()
    frames.unreserve(AddrRange(frames: 150, from: (1 << 18) + 10))
    #expect(frames.reservedFrameCount == 1)
    try frames.checkConsistency()
  }
}
