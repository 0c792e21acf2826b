import Addresses
import PageTables
import Testing

/// An operation that fails because frames run out leaves no trace: tried with 0, 1, 2 … frames until it succeeds.
@Suite struct PageTableAtomicityTests {
  typealias Table = PageTable<X86FiveLevel, OffsetPhysMapper>

  /// Runs an operation with more frames each time, and compares every byte of every frame in use after each failure.
  ///
  /// - Returns: How many frames the operation needed.
  func failEveryAllocation(
    _ frames: inout TestFrames, _ table: inout Table,
    _ operation: (inout Table, inout TestFrames) throws -> Void
  ) -> Int {
    let before = frames.snapshot()
    for allowed in 0...64 {
      frames.allocationsLeft = allowed
      do {
        try operation(&table, &frames)
        let needed = allowed - (frames.allocationsLeft ?? 0)
        frames.allocationsLeft = nil
        return needed
      } catch {
        #expect("\(error)".contains("no frame") || "\(error)".contains("could not be, split"), "\(error)")
      }
      #expect(frames.snapshot() == before, "with \(allowed) frames")
    }
    return -1
  }

  @Test func singlePages() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    let expected: [(PageSize, Int)] = [(.size4KiB, 4), (.size2MiB, 3), (.size1GiB, 2)]
    for (index, (size, tableCount)) in expected.enumerated() {
      let page = Page(start: VirtAddr(UInt(index + 1) << 48), size: size)
      let needed = failEveryAllocation(&frames, &table) { table, frames in
        try table.map(page, to: Page(start: PhysAddr(0), size: size), .userData, &frames).ignore()
      }
      #expect(needed == tableCount)
    }
    table.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func ranges() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    var tlb = NoTLB()
    // From the last page before a 1 GiB boundary to the first after the next one: tables on both sides, one large page.
    let range = AddrRange(start: VirtAddr((1 << 30) - 4096), end: VirtAddr((2 << 30) + 4096))
    let mapped = failEveryAllocation(&frames, &table) { table, frames in
      try table.map(range, to: PhysAddr((1 << 30) - 4096), .userData, &frames).ignore()
    }
    // Levels 3 and 2, and levels 1 and 0 on each side.
    #expect(mapped == 6)
    #expect(try table.translate(VirtAddr(1 << 30)).size == .size1GiB)

    // Both ends in the same 1 GiB page but in different 2 MiB pages: one split of the large page, two splits below it.
    let part = AddrRange(start: VirtAddr((1 << 30) + 4096), end: VirtAddr((1 << 30) + (9 << 20) + 4096))
    let protected = failEveryAllocation(&frames, &table) { table, frames in
      try table.protect(part, .userReadOnly, &frames, &tlb).ignore()
    }
    #expect(protected == 3)

    // Both ends in the same 2 MiB page.
    let small = AddrRange(start: VirtAddr((1 << 30) + (64 << 20) + 4096), byteCount: 8192)
    let unmapped = failEveryAllocation(&frames, &table) { table, frames in
      try table.unmap(small, &frames, &tlb) { _ in }.ignore()
    }
    #expect(unmapped == 1)

    let split = failEveryAllocation(&frames, &table) { table, frames in
      try table.split(Page(start: VirtAddr((1 << 30) + (128 << 20)), size: .size2MiB), &frames, &tlb)
    }
    #expect(split == 1)
    table.deallocate(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func theKernelHalf() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    let before = frames.snapshot()
    frames.allocationsLeft = 255
    #expect(throws: MapError.frameAllocationFailed) { try table.prepareKernelHalf(&frames) }
    #expect(frames.snapshot() == before)
    frames.allocationsLeft = 256
    try table.prepareKernelHalf(&frames)
    frames.allocationsLeft = nil
    table.deallocateWithKernelHalf(&frames)
    #expect(frames.usedCount == 0)
  }

  @Test func aRangeThatMeetsAMappingLeavesNoTrace() throws {
    var frames = TestFrames()
    var table = try Table(mapper: frames.mapper, &frames)
    try table.map(Page(start: VirtAddr(0x80_0000)), to: Page(start: PhysAddr(0)), .userData, &frames).ignore()
    let before = frames.snapshot()
    #expect(throws: RangeError(MapError.alreadyMapped, at: Page(start: VirtAddr(0x80_0000)))) {
      let range = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x80_1000))
      try table.map(range, to: PhysAddr(0x1000), .userData, &frames).ignore()
    }
    #expect(frames.snapshot() == before)
  }
}
