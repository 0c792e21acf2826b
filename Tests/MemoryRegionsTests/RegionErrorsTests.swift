import Addresses
import MemoryRegions
import Testing

/// Error texts: the thing, the value and the way out.
@Suite struct RegionErrorsTests {
  private let part = AddrRange(start: VirtAddr(0x1000), end: VirtAddr(0x3000))

  @Test func everyErrorNamesTheWayOut() {
    expect(
      "\(HugePageShortfall.poolTooSmall(.size2MiB, neededCount: 8, freeCount: 3))",
      "8 free pages of 2 MiB are needed and the pool has 3; as root, raise "
        + "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages by 5")
    expect("\(HugePageShortfall.sizeNotSupported(.size1GiB))", "the system has no pages of 1 GiB", "ask for a size")
    expect("\(ReserveError.outOfAddressSpace(byteCount: 3 << 40))", "no room for 3 TiB", "reserve less")
    expect("\(ReserveError.outOfMemory(byteCount: 4096))", "4 KiB", "vm.overcommit_memory")
    expect("\(ReserveError.pageSizeNotSupported(byteCount: 65536))", "64 KiB", "a kernel with pages of 4 KiB")
    expect("\(CommitError.outOfMemory(byteCount: 8192))", "8 KiB", "commit less")
    expect("\(DecommitError.pinned(part))", "0x1000..<0x3000", "unpin it")
    expect("\(DecommitError.tooManyMappings)", "vm.max_map_count")
    expect("\(ProtectError.forbidden(.userCode))", "r-xu")
    expect("\(PrefaultError.notWritable(part))", "0x1000..<0x3000", "commit it")
    expect("\(PinError.notCommitted(part))", "0x1000..<0x3000", "commit it before pinning")
    expect("\(PinError.outOfMemory(byteCount: 4100))", "4100 bytes", "none of it is pinned")
    expect("\(UnpinError.refused(SystemError(12)))", "Cannot allocate memory (errno 12)")
    expect("\(HugePageAdviceError.notSupported)", "no transparent huge pages")
    expect("\(InspectError.refused(SystemError(2)))", "/proc")
  }

  private func expect(_ message: String, _ parts: String...) {
    for part in parts { #expect(message.contains(part)) }
    #expect(!message.contains("\n"))
  }

  @Test func theNeededLimitIsRoundedUp() {
    func needed(_ wanted: UInt64, _ before: UInt64) -> UInt64 {
      PinShortfall(wantedByteCount: wanted, pinnedBeforeByteCount: before, limitByteCount: 0, fittingByteCount: 0)
        .neededLimitKibibytes
    }
    #expect(needed(4096, 0) == 4)
    #expect(needed(4096, 4096) == 8)
    #expect(needed(1, 0) == 1)
    #expect(needed(.max, 4096) == .max >> 10)
  }
}

@Suite struct SystemMemoryTests {
  @Test func theFactsAreThere() throws {
    #expect(SystemMemory.pageByteCount == 4096)
    #expect(try #require(SystemMemory.addressSpaceByteCount) > 1 << 20)
    #expect(SystemMemory.pinned != nil)
    #expect(SystemMemory.hugePagePool(.size4KiB) == nil)
    if let pool = SystemMemory.hugePagePool(.size2MiB) { #expect(pool.freeCount <= pool.totalCount) }
  }
}
