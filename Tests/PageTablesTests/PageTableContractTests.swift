import Addresses
import Glibc
import LabTestSupport
import PageTables
import Testing

/// Broken contracts end the process with a line that names the contract.
@Suite struct PageTableContractTests {
  typealias Table = PageTable<X86FourLevel, OffsetPhysMapper>

  @Test func aDroppedFlush() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var table = try Table(mapper: frames.mapper, &frames)
      _ = try table.map(Page(start: VirtAddr(0x5000)), to: Page(start: PhysAddr(0)), .userData, &frames)
    }
    #expect(text(of: result).contains("heaplab: a page-table change must be flushed or ignored, dropped at: 0x5000\n"))
  }

  @Test func aDroppedBatch() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var table = try Table(mapper: frames.mapper, &frames)
      var batch = FlushBatch()
      batch.add(try table.map(Page(start: VirtAddr(0x5000)), to: Page(start: PhysAddr(0)), .userData, &frames))
    }
    #expect(text(of: result).contains("page-table changes must be flushed or ignored, dropped from: 0x5000"))
  }

  @Test func aMappingThatAllowsNothing() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var table = try Table(mapper: frames.mapper, &frames)
      try table.map(Page(start: VirtAddr(0x5000)), to: Page(start: PhysAddr(0)), .user, &frames).ignore()
    }
    #expect(text(of: result).contains("a mapping must allow reading, writing or executing; unmap it to forbid all"))
  }

  @Test func aMisalignedRange() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var table = try Table(mapper: frames.mapper, &frames)
      let range = AddrRange(start: VirtAddr(0x5000), byteCount: 0x1234)
      try table.map(range, to: PhysAddr(0), .userData, &frames).ignore()
    }
    #expect(
      text(of: result).contains("a range of pages must start and end at multiples of the smallest page, found: 0x6234"))
  }

  @Test func aWrappingDirectMap() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var table = try Table(mapper: frames.mapper, &frames)
      let physical = AddrRange(start: PhysAddr(0x1000), byteCount: 0x10_0000)
      try table.map(physical, offset: 0xFFFF_FFFF_FFF0_0000, .kernelData, &frames).ignore()
    }
    #expect(text(of: result).contains("mapped frames must fit the address space, found: 0x101000"))
  }

  @Test func aFrameOutsideTheMapper() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let frames = TestFrames()
      _ = Table(adopting: PhysAddr(0x1000), mapper: frames.mapper)
    }
    #expect(text(of: result).contains("a physical address must lie in the mapped region: 0x1000"))
  }

  @Test func aMappedFrameThatWasFreed() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      var process = try TestProcess<X86FourLevel>(&frames)
      let range = try process.space.addRegion(byteCount: 4096, .userData, &frames)
      try process.write(1, at: range.start, &frames)
      frames.deallocate(try process.space.table.translate(range.start).frame)
      process.exit(&frames)
    }
    #expect(text(of: result).contains("a test counts a frame that is not in use with this size: 0x"))
  }

  @Test func anAddressSpaceOverTheKernelHalf() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      var frames = TestFrames()
      let range = AddrRange(start: VirtAddr(0xFFFF_8000_0000_0000), byteCount: 1 << 30)
      _ = try AddressSpace<X86FourLevel, OffsetPhysMapper>(managing: range, mapper: frames.mapper, &frames)
    }
    #expect(text(of: result).contains("an address space must not manage the kernel half, found: 0xffff800040000000"))
  }
}
