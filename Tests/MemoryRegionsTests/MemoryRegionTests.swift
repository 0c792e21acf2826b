import Addresses
import Foundation
import LabTestSupport
import MemoryRegions
import Testing

@Suite struct MemoryRegionTests {
  @Test(arguments: [4096, 1 << 14, 1 << 21, 1 << 30] as [UInt])
  func aReservationStartsAtItsAlignment(alignment: UInt) throws {
    for byteCount in [4096, 3 * 4096, 1 << 22] as [UInt] {
      let region = try MemoryRegion(reserving: byteCount, alignment: alignment)
      #expect(region.start.isAligned(to: alignment))
      #expect(region.byteCount == byteCount)
      #expect(region.backing.size == .size4KiB)
      #expect(region.backing.shortfall == nil)
    }
  }

  @Test func reservationsLeaveNoAddressSpaceBehind() throws {
    let before = try #require(SystemMemory.addressSpaceByteCount)
    for _ in 0..<64 {
      let region = try MemoryRegion(reserving: 1 << 30, alignment: 1 << 30)
      #expect(region.byteCount == 1 << 30)
    }
    let after = try #require(SystemMemory.addressSpaceByteCount)
    // The test process itself maps far less than one region meanwhile.
    #expect(after < before + 1 << 30)
  }

  @Test func aTebibyteCanBeReserved() throws {
    let region = try MemoryRegion(reserving: 1 << 40)
    #expect(try region.residentByteCount(region.firstPages(1)) == 0)
  }

  @Test func whatNoAddressSpaceHoldsIsRefused() {
    #expect(throws: ReserveError.outOfAddressSpace(byteCount: 1 << 60)) { _ = try MemoryRegion(reserving: 1 << 60) }
  }

  @Test func theAddressSpaceLimitIsNamed() async {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      var limit = rlimit(rlim_cur: 64 << 30, rlim_max: 64 << 30)
      // SAFETY: the limit is a local.
      try #require(unsafe setrlimit(__rlimit_resource_t(9), &limit) == 0)
      do throws(ReserveError) {
        _ = try MemoryRegion(reserving: 1 << 40)
        fatalError("the limit does not hold")
      } catch {
        guard case .overAddressSpaceLimit(1 << 40, 64 << 30, _) = error else { fatalError("\(error)") }
        FileHandle.standardError.write(Data("\(error)".utf8))
      }
    }
    let message = text(of: result)
    #expect(message.hasPrefix("reserving 1 TiB of address space would pass the process's limit of 64 GiB"))
    #expect(message.contains("ulimit -v"))
  }

  @Test func aReleasedRegionIsGone() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      let region = try MemoryRegion(committing: 4096)
      let start = region.start
      try region.release()
      unsafe start.unsafePointer.storeBytes(of: 1, as: UInt8.self)
    }
  }

  @Test func aRegionThatEndsIsGone() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      let start: VirtAddr
      do {
        let region = try MemoryRegion(committing: 4096)
        start = region.start
      }
      unsafe start.unsafePointer.storeBytes(of: 1, as: UInt8.self)
    }
  }

  @Test func aLeakedRegionStaysAndCanBeAdopted() throws {
    let range = try MemoryRegion(committing: 8192).leak()
    // SAFETY: the range is this test's own.
    unsafe range.start.unsafePointer.storeBytes(of: 7, as: UInt8.self)
    let region = unsafe MemoryRegion(adopting: range)
    #expect(try region.residentByteCount() == 4096)
  }

  @Test func aRangeOfAnotherRegionIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let region = try MemoryRegion(reserving: 8192)
      try region.commit(AddrRange(start: region.start, byteCount: 12288))
    }
    #expect(text(of: result).hasPrefix("heaplab: a part must lie in its region, found: 0x"))
  }

  @Test func aCutPageIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let region = try MemoryRegion(reserving: 8192)
      try region.commit(AddrRange(start: region.start, byteCount: 100))
    }
    #expect(text(of: result).hasPrefix("heaplab: a part of a region must be whole pages, found: 0x"))
  }

  @Test func anEmptyPartIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      let region = try MemoryRegion(reserving: 8192)
      try region.commit(AddrRange(start: region.start, byteCount: 0))
    }
    #expect(text(of: result).hasPrefix("heaplab: a part of a region must not be empty, at: 0x"))
  }

  @Test func anOddByteCountIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = try MemoryRegion(reserving: 5000)
    }
    #expect(text(of: result) == "heaplab: a region's byte count must be a multiple of 4096, found: 0x1388\n")
  }

  @Test func anOddAlignmentIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = try MemoryRegion(reserving: 4096, alignment: 12288)
    }
    let line = "heaplab: a region's alignment must be a power of two from 4096 to 1 GiB, found: 0x3000\n"
    #expect(text(of: result) == line)
  }

  @Test func anEmptyRegionIsABrokenContract() async {
    let result = await #expect(processExitsWith: .signal(SIGABRT), observing: [\.standardErrorContent]) {
      _ = try MemoryRegion(committing: 0)
    }
    #expect(text(of: result) == "heaplab: a region must not be empty\n")
  }
}

extension MemoryRegion {
  /// The first `count` pages of 4 KiB.
  func firstPages(_ count: UInt) -> AddrRange<VirtAddr> { AddrRange(start: start, byteCount: count * 4096) }

  /// The byte at `offset`.
  subscript(offset: Int) -> UInt8 {
    get { unsafe start.unsafePointer.load(fromByteOffset: offset, as: UInt8.self) }
    nonmutating set { unsafe start.unsafePointer.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self) }
  }
}
