import Addresses
import Glibc
import LabTestSupport
import PageTables
import Testing
import VirtualAreas

@Suite struct VirtualAreasTests {
  typealias Trial = AreaTrial<X86FourLevel>
  static let range = AddrRange(start: VirtAddr(0xFFFF_C900_0000_0000), byteCount: 1 << 30)

  @Test func everyAreaStandsBetweenGuards() throws {
    var trial = try Trial(Self.range, guardByteCount: 8192)
    let first = try trial.allocate(5000)
    #expect(first == AddrRange(start: Self.range.start + 8192, byteCount: 8192))
    let second = try trial.allocate(4096)
    #expect(second.start == first.end + 8192)
    let stack = try trial.areas.allocateStack(in: &trial.table, &trial.frames, &trial.tlb)
    #expect(stack.byteCount == 16384 && stack.start == second.end + 8192)
    for area in [first, second, stack] {
      let inside = [area.start, area.last].map { trial.isMapped($0) }
      let outside = [area.start - 1, area.start - 8192, area.end, area.end + 8191].map { trial.isMapped($0) }
      #expect(inside == [true, true] && outside == [false, false, false, false])
      let found = [area.start - 1, area.start, area.last, area.end].map { trial.areas.area(containing: $0)?.range }
      #expect(found == [nil, area, area, nil])
    }
    let count = trial.areas.areaCount
    #expect(count == 3)
    let left = trial.end()
    #expect(left == 0)
  }

  @Test func manyFreesCostOneFlush() throws {
    var trial = try Trial(Self.range, lazyPageMaximum: 1000)
    var all: [AddrRange<VirtAddr>] = []
    for _ in 0..<250 { all.append(try trial.allocate(16384)) }
    let used = trial.frames.used.count
    for area in all.dropLast() { trial.free(area) }
    // Until the purge, freed areas keep their frames and their addresses.
    var (waiting, flushCount, count) = (trial.areas.lazyPageCount, trial.tlb.flushCount, trial.areas.areaCount)
    #expect(waiting == 996 && flushCount == 0 && count == 1)
    #expect(trial.frames.used.count == used)
    let found = trial.areas.area(containing: all[0].start)
    #expect(found == nil)
    let next = try trial.allocate(16384)
    #expect(next.start > all[249].end)
    trial.free(all[249])
    (waiting, flushCount, count) = (trial.areas.lazyPageCount, trial.tlb.flushCount, trial.areas.areaCount)
    #expect(waiting == 0 && flushCount == 1 && count == 1)
    #expect(trial.frames.used.count <= used - 996)
    let isMapped = trial.isMapped(all[5].start)
    #expect(!isMapped)
    #expect(try trial.allocate(16384) == all[0])
    let left = trial.end()
    #expect(left == 0)
  }

  @Test func aShortageOfAddressesOrFramesPurges() throws {
    let small = AddrRange(start: Self.range.start, byteCount: 10 * 4096)
    var trial = try Trial(small)
    let first = try trial.allocate(8 * 4096)
    #expect(throws: VirtualAreaError.noRoom(4096)) { _ = try trial.allocate(4096) }
    trial.free(first)
    #expect(try trial.allocate(4096) == AddrRange(start: first.start, byteCount: 4096))
    let second = try trial.allocate(4096)
    trial.free(second)
    trial.frames.allocationsLeft = 0
    // The frame of the freed area serves the next one, once the first's is back.
    let flushCount = trial.tlb.flushCount
    #expect(throws: VirtualAreaError.outOfFrames) { _ = try trial.allocate(4096) }
    #expect(trial.tlb.flushCount == flushCount + 1 && trial.areas.lazyPageCount == 0)
    trial.frames.allocationsLeft = nil
    let left = trial.end()
    #expect(left == 0)
  }

  @Test func anAllocationThatFailsLeavesNothing() throws {
    var trial = try Trial(Self.range)
    let before = trial.frames.used
    // 600 pages, two tables for them, and one above.
    for allowed in [0, 1, 2, 3, 4, 100, 512, 513, 514, 515, 602] {
      trial.frames.allocationsLeft = allowed
      #expect(throws: VirtualAreaError.outOfFrames) { _ = try trial.allocate(600 * 4096) }
      #expect(trial.frames.used == before)
      let count = trial.areas.areaCount
      #expect(count == 0)
    }
    trial.frames.allocationsLeft = 603
    _ = try trial.allocate(600 * 4096)
    trial.frames.allocationsLeft = nil
    let left = trial.end()
    #expect(left == 0)
  }

  @Test func framesOfOthersStayTheirs() throws {
    var trial = try Trial(Self.range)
    let device = AddrRange(start: PhysAddr(1 << 32), byteCount: 4 << 20)
    let area = try trial.areas.map(
      device, .kernelData, alignment: 2 << 20, in: &trial.table, &trial.frames, &trial.tlb)
    let translation = try trial.table.translate(area.start + 0x12_3456)
    #expect(translation.size == .size2MiB && translation.physical == device.start + 0x12_3456)
    #expect(translation.memoryType == .device)
    trial.free(area)
    let screen = try trial.areas.map(
      device, .kernelData, as: .writeCombining, in: &trial.table, &trial.frames, &trial.tlb)
    #expect(try trial.table.translate(screen.last).memoryType == .writeCombining)
    for bad in [AddrRange(start: PhysAddr(1), byteCount: 4096), AddrRange(start: PhysAddr(1 << 60), byteCount: 4096)] {
      #expect(throws: VirtualAreaError.unreachableFrames(bad.start)) {
        _ = try trial.areas.map(bad, .kernelData, in: &trial.table, &trial.frames, &trial.tlb)
      }
    }
    let left = trial.end()
    #expect(left == 0)
  }

  @Test func whatTheProcessorLacksIsRefused() throws {
    var trial = try AreaTrial<Sv39>(AddrRange(start: VirtAddr(0xFFFF_FFC0_0000_0000), byteCount: 1 << 30))
    let area = try trial.allocate(4096)
    trial.free(area)
    let before = trial.frames.used
    let device = AddrRange(start: PhysAddr(1 << 32), byteCount: 4096)
    #expect(throws: VirtualAreaError.unsupportedMemoryType(.uncached)) {
      _ = try trial.areas.map(device, .kernelData, as: .uncached, in: &trial.table, &trial.frames, &trial.tlb)
    }
    // No purge would help.
    #expect(trial.frames.used == before && trial.areas.lazyPageCount == 1)
    let left = trial.end()
    #expect(left == 0)

    var old = try AreaTrial<X86WithoutExecuteDisable>(Self.range)
    #expect(throws: VirtualAreaError.unsupportedPermissions(.kernelData)) { _ = try old.allocate(4096) }
    #expect(throws: VirtualAreaError.unsupportedPermissions(.kernelData)) {
      _ = try old.areas.map(device, .kernelData, in: &old.table, &old.frames, &old.tlb)
    }
    let code = try old.areas.allocate(4096, .kernelCode, in: &old.table, &old.frames, &old.tlb)
    #expect(try old.table.translate(code.start).memoryType == .normal)
    let leftOfOld = old.end()
    #expect(leftOfOld == 0)
  }

  @Test func theRangeMayHoldTheLastAddress() throws {
    let top = AddrRange(start: VirtAddr(0 &- (16 * 4096)), through: VirtAddr(.max))
    var trial = try AreaTrial<AArch64Upper>(top)
    let area = try trial.allocate(14 * 4096)
    #expect(area.end == VirtAddr(0 &- 4096))
    trial.free(area)
    let left = trial.end()
    #expect(left == 0)
  }

  /// Random allocations and frees, with frames that run out at any time. The model is a list of what is allocated; the
  /// TLB's model finds an address or a frame that is used again too early.
  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func randomAreas(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var trial = try Trial(
      AddrRange(start: Self.range.start, byteCount: 4 << 20), lazyPageMaximum: Int(seed) * 50)
    var all: [AddrRange<VirtAddr>] = []
    for step in 0..<3000 {
      trial.frames.allocationsLeft = step % 4 == 0 ? Int.random(in: 0...30, using: &generator) : nil
      if Bool.random(using: &generator), let index = all.indices.randomElement(using: &generator) {
        trial.free(all.remove(at: index))
      } else if let area = try? trial.allocate(UInt.random(in: 1...100_000, using: &generator)) {
        all.append(area)
      }
      let sorted = all.sorted { $0.start < $1.start }
      for (lower, upper) in zip(sorted, sorted.dropFirst()) where lower.end + 4096 > upper.start {
        Issue.record("seed \(seed), step \(step): \(lower) and \(upper) have no guard between them")
      }
      let count = trial.areas.areaCount
      #expect(count == all.count && trial.areas.lazyPageCount < Int(seed) * 50, "seed \(seed), step \(step)")
    }
    for area in all where area.pages().contains(where: { !trial.isMapped($0.start) }) {
      Issue.record("seed \(seed): \(area) is not mapped")
    }
    trial.frames.allocationsLeft = nil
    let left = trial.end()
    #expect(left == 0, "seed \(seed)")
  }

  @Test func brokenContractsTrap() async {
    let twice = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var trial = try Trial(Self.range)
      let area = try trial.allocate(4096)
      trial.free(area)
      trial.free(area)
    }
    #expect(text(of: twice) == "heaplab: an area must be freed once, as it was allocated, found: 0xffffc90000001000\n")
    let part = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var trial = try Trial(Self.range)
      let area = try trial.allocate(8192)
      trial.free(AddrRange(start: area.start, byteCount: 4096))
    }
    #expect(text(of: part) == "heaplab: an area must be freed once, as it was allocated, found: 0xffffc90000001000\n")
    let nothing = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var trial = try Trial(Self.range)
      _ = try trial.allocate(0)
    }
    #expect(text(of: nothing) == "heaplab: an area must have at least one byte\n")
    let large = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = AreaFrames()
      let root = PhysAddr(AreaFrames.base)
      var table = PageTable<AArch64Upper16KiB, OffsetPhysMapper>(adopting: root, mapper: frames.mapper)
      var areas = try VirtualAreas(managing: Self.range, mapper: frames.mapper, &frames)
      var tlb = ModelTLB()
      _ = try areas.allocate(4096, in: &table, &frames, &tlb)
    }
    #expect(text(of: large) == "heaplab: virtual areas must have a granule of 4 KiB, found bytes: 0x4000\n")
  }

  @Test func errorsReadWell() {
    let errors: [VirtualAreaError] = [
      .noRoom(4096), .outOfFrames, .unreachableFrames(PhysAddr(1)), .unsupportedPermissions(.read),
      .unsupportedMemoryType(.uncached),
    ]
    #expect(Set(errors.map { "\($0)" }).count == 5)
    #expect("\(errors[0])" == "no free range has room for 4096 bytes between its guards; free an area first")
  }
}
