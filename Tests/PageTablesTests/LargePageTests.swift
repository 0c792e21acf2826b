import Addresses
import PageTables
import Testing

@Suite struct LargePageTests {
  typealias Process = TestProcess<X86FourLevel>
  static let block = AddrRange(start: VirtAddr(0x20_0000), byteCount: 2 << 20)

  @Test func denselyTouchedBlocksArePromoted() throws {
    var frames = TestFrames(byteCount: 32 << 20)
    var process = try Process(policy: .dynamic, &frames)
    try process.space.addRegion(AddrRange(start: Self.block.start, byteCount: 8 << 20), .userData, &frames)
    for page in 0..<UInt(255) {
      try process.write(UInt64(page), at: Self.block.start + page * 4096, &frames)
    }
    #expect(process.space.statistics.promotionCount == 0)
    try process.write(255, at: Self.block.start + 255 * 4096, &frames)
    #expect(process.space.statistics.promotionCount == 1)
    #expect(try process.space.table.translate(Self.block.start).size == .size2MiB)
    #expect(try process.read(Self.block.start + 100 * 4096, &frames) == 100)
    #expect(try process.read(Self.block.start + 300 * 4096, &frames) == 0)
    #expect(process.space.statistics.faultCount == 256)
    // In sequence, an eighth of the next block is enough.
    for page in 512..<UInt(576) {
      try process.write(UInt64(page), at: Self.block.start + page * 4096, &frames)
    }
    #expect(process.space.statistics.promotionCount == 2)
    // The list, the root, two more tables and two large pages.
    #expect(frames.usedCount == 6)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func sparselyTouchedBlocksAreNot() throws {
    var frames = TestFrames(byteCount: 32 << 20)
    var process = try Process(policy: .dynamic, &frames)
    try process.space.addRegion(AddrRange(start: Self.block.start, byteCount: 8 << 20), .userData, &frames)
    for page in stride(from: UInt(1), to: 2048, by: 3) {
      try process.write(1, at: Self.block.start + page * 4096, &frames)
    }
    #expect(process.space.statistics.promotionCount == 0)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func aBlockThatAForkSplitIsJoinedInPlace() throws {
    var frames = TestFrames(byteCount: 8 << 20)
    var process = try Process(policy: .always, &frames)
    try process.space.addRegion(Self.block, .userData, &frames)
    try process.write(5, at: Self.block.start, &frames)
    let frame = try process.space.table.translate(Self.block.start).frame
    process.space.policy = .dynamic
    let child = try process.fork(&frames)
    #expect(process.space.statistics.demotionCount == 1)
    try process.write(6, at: Self.block.start + 31 * 4096, &frames)
    #expect(process.space.statistics.copyCount == 1)
    child.exit(&frames)
    // One page is now a copy elsewhere, so the block is copied. After another fork all frames are adjacent.
    try process.write(7, at: Self.block.start + 63 * 4096, &frames)
    #expect(process.space.statistics.promotionCount == 1)
    let copied = try process.space.table.translate(Self.block.start).frame
    #expect(copied.size == .size2MiB && copied != frame)
    try process.fork(&frames).exit(&frames)
    try process.write(8, at: Self.block.start + 95 * 4096, &frames)
    #expect(try process.space.table.translate(Self.block.start).frame == copied)
    #expect(process.space.statistics.promotionCount == 2)
    for (index, value) in [(UInt(0), UInt64(5)), (31, 6), (63, 7), (95, 8)] {
      #expect(try process.read(Self.block.start + index * 4096, &frames) == value)
    }
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func sharedPagesAreNotPromoted() throws {
    var frames = TestFrames(byteCount: 32 << 20)
    var process = try Process(policy: .dynamic, &frames)
    try process.space.addRegion(Self.block, .userData, &frames)
    for page in 0..<UInt(100) {
      try process.write(UInt64(page), at: Self.block.start + page * 4096, &frames)
    }
    let child = try process.fork(&frames)
    for page in 100..<UInt(512) {
      try process.write(UInt64(page), at: Self.block.start + page * 4096, &frames)
    }
    #expect(process.space.statistics.promotionCount == 0)
    child.exit(&frames)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func alwaysMeansAtTheFirstTouchWhereAFrameIsFree() throws {
    var frames = TestFrames()
    var process = try Process(policy: .always, &frames)
    try process.space.addRegion(AddrRange(start: Self.block.start, byteCount: 32 << 20), .userData, &frames)
    for block in 0..<UInt(3) {
      try process.write(1, at: Self.block.start + block << 21, &frames)
    }
    #expect(process.space.statistics.largeFillCount == 3)
    // No large frame is left.
    try process.write(1, at: Self.block.start + 3 << 21, &frames)
    #expect(process.space.statistics.smallFillCount == 1)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func aShortageGivesUntouchedPartsBack() throws {
    var frames = TestFrames()
    var process = try Process(policy: .always, &frames)
    try process.space.addRegion(AddrRange(start: Self.block.start, byteCount: 2 << 20), .userData, &frames)
    try process.space.addRegion(AddrRange(start: Self.block.end + 4096, byteCount: 64 << 10), .userData, &frames)
    try process.write(7, at: Self.block.start + 8, &frames)
    try process.write(8, at: Self.block.start + 17 * 4096, &frames)
    while frames.allocate(.size4KiB) != nil {}
    for page in 0..<UInt(16) {
      try process.write(UInt64(page), at: Self.block.end + 4096 + page * 4096, &frames)
    }
    #expect(process.space.statistics.demotionCount == 1)
    // All except the two written parts and the one that became the table.
    #expect(process.space.statistics.reclaimedFrameCount == 509)
    #expect(try process.read(Self.block.start + 8, &frames) == 7)
    #expect(try process.read(Self.block.start + 17 * 4096, &frames) == 8)
    #expect(try process.read(Self.block.start + 18 * 4096, &frames) == 0)
  }

  @Test func aLargePageSplitsWhenPartOfItGoes() throws {
    var frames = TestFrames()
    var process = try Process(policy: .always, &frames)
    try process.space.addRegion(Self.block, .userData, &frames)
    try process.write(9, at: Self.block.start + (1 << 20), &frames)
    let hole = AddrRange(start: Self.block.start + 4096, byteCount: 8192)
    frames.allocationsLeft = 0
    let before = frames.snapshot()
    #expect(throws: AddressSpaceError.outOfFrames) { try process.space.unmap(hole, &frames, &process.tlb) }
    #expect(frames.snapshot() == before)
    frames.allocationsLeft = nil
    try process.space.unmap(hole, &frames, &process.tlb)
    #expect(process.space.statistics.demotionCount == 1)
    #expect(throws: FaultRefusal.noRegion(hole.start)) { try process.read(hole.start, &frames) }
    #expect(try process.read(Self.block.start + (1 << 20), &frames) == 9)
    // Two parts are unmapped, and one frame became a table.
    #expect(frames.usedCount == 2 + 3 + 510)
    process.exit(&frames)
    #expect(frames.usedCount == 0)
  }
}
