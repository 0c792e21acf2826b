import Addresses
import BuddyFrames
import LabTestSupport
import Testing

@Suite struct SparseFramesTests {
  /// Banks far from each other: part of a GiB, two in one GiB, one across a border, one above 1 TiB.
  private static let ranges = [
    AddrRange<PhysAddr>(frames: 100, from: 16), AddrRange<PhysAddr>(frames: 1000, from: 4096),
    AddrRange<PhysAddr>(frames: 2048, from: (1 << 20) - 1024), AddrRange<PhysAddr>(frames: 4096, from: 1 << 28),
  ]

  private final class Machine {
    let list: TableMemory
    var tables: [TableMemory] = []

    init(bankCapacity: Int = 8) {
      let span = AddrRange<PhysAddr>(0, 2 << 40)
      list = TableMemory(byteCount: SparseFrames.byteCount(spanning: span, bankCapacity: bankCapacity))
    }

    func frames(_ ranges: [AddrRange<PhysAddr>] = SparseFramesTests.ranges, bankCapacity: Int = 8) -> SparseFrames {
      var frames = SparseFrames(
        spanning: AddrRange<PhysAddr>(0, 2 << 40), bankCapacity: bankCapacity, in: list.range)
      for range in ranges { add(range, to: &frames) }
      return frames
    }

    func add(_ range: AddrRange<PhysAddr>, to frames: inout SparseFrames) {
      tables.append(TableMemory(for: range))
      frames.add(range, tableIn: tables[tables.count - 1].range, holding: .zeros)
    }
  }

  /// Random blocks against a model of each bank: the lowest free block of the order in any bank.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func returnsTheLowestFreeBlockOfAllBanks(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let machine = Machine()
    var frames = machine.frames()
    var models = Self.ranges.map { FrameModel(frames: $0.byteCount >> 12, from: $0.start.raw >> 12) }
    var live: [(PhysAddr, FrameOrder)] = []
    for step in 0..<4000 {
      // A phase of mostly allocations, one of mostly deallocations: banks become full and empty.
      let allocates = Int.random(in: 0..<10, using: &random) < (step / 1000 % 2 == 0 ? 8 : 3)
      if allocates || live.isEmpty {
        let order = FrameOrder(
          UInt8(min(Int.random(in: 0...12, using: &random), Int.random(in: 0...8, using: &random))))
        let index = models.indices.first { models[$0].lowestRun(order) != nil }
        let expected = index.flatMap { models[$0].lowestRun(order) }
        let found = frames.allocate(order)
        try #require(found == expected, "seed \(seed), step \(step), order \(order.rawValue)")
        if let index, let found {
          models[index].allocate(order, at: found)
          live.append((found, order))
        }
      } else {
        let (address, order) = live.remove(at: Int.random(in: 0..<live.count, using: &random))
        let index = try #require(Self.ranges.firstIndex { $0.contains(address) })
        models[index].deallocate(address)
        frames.deallocate(address, order: order)
      }
      #expect(frames.freeFrameCount == models.reduce(0) { $0 + $1.freeCount })
      if step % 500 == 0 { try frames.checkConsistency() }
    }
    for (address, order) in live { frames.deallocate(address, order: order) }
    try frames.checkConsistency()
    #expect(frames.freeFrameCount == frames.frameCount)
  }

  @Test func banksComeAndGoInAnyOrder() throws {
    let machine = Machine()
    var frames = machine.frames([])
    #expect(frames.allocate(.min) == nil)
    #expect(frames.contains(Self.ranges[0].start) == false)
    for index in [2, 0, 3, 1] { machine.add(Self.ranges[index], to: &frames) }
    #expect((0..<4).map { frames.range(ofBank: $0) } == Self.ranges)
    #expect(frames.allocate(.min) == Self.ranges[0].start)
    // A bank in use stays; an empty one goes, and its table is the caller's again.
    #expect(frames.remove(Self.ranges[0]) == nil)
    frames.deallocate(Self.ranges[0].start, order: .min)
    #expect(frames.remove(Self.ranges[0]) != nil)
    #expect(frames.bankCount == 3)
    #expect(frames.allocate(.min) == Self.ranges[1].start)
    #expect(frames.allocate(FrameOrder(11)) == Self.ranges[3].start)
    #expect(frames.contains(Self.ranges[2].end - 1) == true)
    #expect(frames.contains(Self.ranges[2].end) == false)
    try frames.checkConsistency()
    // A module below all others is filled first.
    machine.add(Self.ranges[0], to: &frames)
    #expect(frames.allocate(.min) == Self.ranges[0].start)
  }

  /// A hot-plugged bank whose frame table lies in its own first frames can be removed when only that is in use.
  @Test func aBankMayHoldItsOwnTable() throws {
    let machine = Machine()
    var frames = machine.frames()
    let range = AddrRange<PhysAddr>(0x80_0000_0000, 0x80_0800_0000)
    machine.add(range, to: &frames)
    let table = AddrRange(start: range.start, byteCount: UInt64(BuddyFrames.tableByteCount(for: range)))
    let before = frames.freeFrameCount
    frames.reserve(table)
    #expect(before - frames.freeFrameCount == (table.byteCount + 4095) >> 12)
    #expect(frames.remove(range) != nil)
    try frames.checkConsistency()
  }

  @Test func moreBanksThanAWordHasBits() throws {
    let ranges = (0..<200).map { AddrRange<PhysAddr>(frames: 4, from: 1024 + $0 * 1024) }
    let machine = Machine(bankCapacity: 200)
    var frames = machine.frames(ranges, bankCapacity: 200)
    for range in ranges { #expect(frames.allocate(FrameOrder(2)) == range.start) }
    #expect(frames.allocate(FrameOrder(2)) == nil)
    #expect(frames.allocate(.min) == nil)
    frames.deallocate(ranges[150].start, order: FrameOrder(2))
    frames.deallocate(ranges[70].start, order: FrameOrder(2))
    #expect(frames.allocate(FrameOrder(1)) == ranges[70].start)
    #expect(frames.allocate(FrameOrder(2)) == ranges[150].start)
    try frames.checkConsistency()
  }

  @Test func countsHoldersAndSplitsInTheRightBank() throws {
    let machine = Machine()
    var frames = machine.frames()
    for _ in 0..<100 { #expect(frames.allocate(.min) != nil) }
    let page = try unwrapped(frames.allocate(.size4KiB))
    #expect(Self.ranges[1].contains(page.start))
    frames.retain(page)
    #expect(frames.referenceCount(of: page) == 2)
    #expect(frames.release(page) == false)
    #expect(frames.release(page) == true)
    let huge = try unwrapped(frames.allocate(.size2MiB))
    frames.split(huge, into: .size4KiB)
    frames.join(huge, from: .size4KiB)
    frames.deallocate(huge)
    try frames.checkConsistency()
  }

  @Test func ballooningTakesFramesOutOfUse() throws {
    let machine = Machine()
    var frames = machine.frames()
    let free = frames.freeFrameCount
    let block = try unwrapped(frames.inflate(FrameOrder(4)))
    #expect(frames.freeFrameCount == free - 16)
    #expect(frames.reservedFrameCount == 16)
    #expect(frames.use(of: block) == .reserved(block, FrameOrder(4)))
    frames.deflate(block, order: FrameOrder(4))
    #expect(frames.freeFrameCount == free)
    try frames.checkConsistency()
  }
}
