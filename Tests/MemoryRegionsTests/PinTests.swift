import Addresses
import Foundation
import LabTestSupport
import MemoryRegions
import Testing

@Suite struct PinTests {
  @Test func pinnedMemoryIsResidentAndLocked() throws {
    let region = try MemoryRegion(committing: 1 << 20)
    #expect(try region.lockedByteCount() == 0)
    let part = AddrRange(start: region.start + 8192, byteCount: 65536)
    try region.pin(part)
    #expect(try region.residentByteCount(part) == 65536)
    #expect(try region.lockedByteCount() == 65536)
    #expect(try region.lockedByteCount(region.firstPages(3)) == 4096)
    try region.unpin(AddrRange(start: region.start + 8192, byteCount: 4096))
    #expect(try region.lockedByteCount() == 61440)
    try region.unpin()
    #expect(try region.lockedByteCount() == 0)
    #expect(try region.residentByteCount(part) == 65536)
  }

  @Test func memoryPinnedOnFaultIsLockedFromItsFirstUse() throws {
    let region = try MemoryRegion(committing: 1 << 20)
    try region.pin(when: .onFault)
    #expect(try region.residentByteCount() == 0)
    #expect(try region.lockedByteCount() == 0)
    region[4096] = 1
    #expect(try region.lockedByteCount() == 4096)
  }

  @Test func whatIsNotCommittedCannotBePinnedAtOnce() throws {
    let region = try MemoryRegion(reserving: 1 << 20)
    try region.commit(region.firstPages(2))
    #expect(throws: PinError.notCommitted(region.range)) { try region.pin() }
    #expect(try region.lockedByteCount() == 0)
    // Nothing is locked now, and later pages are not locked either.
    region[0] = 1
    #expect(try region.lockedByteCount() == 0)
  }

  /// Root is exempt from the limit, so the child drops its privileges.
  @Test func pinningPastTheLimitSaysWhatToDoAndPinsNothing() async {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      try limitPinning(to: 1 << 20)
      let region = try MemoryRegion(committing: 4 << 20)
      try region.pin(region.firstPages(3))
      do throws(PinError) {
        try region.pin(AddrRange(start: region.start + (1 << 20), byteCount: 2 << 20))
        fatalError("the limit does not hold")
      } catch {
        guard case .overLimit(let shortfall) = error else { fatalError("\(error)") }
        #expect(shortfall.wantedByteCount == 2 << 20)
        #expect(shortfall.pinnedBeforeByteCount == 12288)
        #expect(shortfall.limitByteCount == 1 << 20)
        #expect(shortfall.fittingByteCount == 1 << 20 - 12288)
        #expect(shortfall.neededLimitKibibytes == 2060)
        FileHandle.standardError.write(Data("\(PinError.overLimit(shortfall))".utf8))
      }
      // The pinned pages still are pinned, and no others.
      #expect(try region.lockedByteCount() == 12288)
      #expect(SystemMemory.pinned?.byteCount == 12288)
      // The figure is exact: that many bytes can be pinned, and not one page more.
      let fitting = AddrRange(start: region.start + (1 << 20), byteCount: UInt(1 << 20 - 12288))
      #expect(throws: PinError.self) { try region.pin(AddrRange(start: fitting.start, end: fitting.end + 4096)) }
      try region.pin(fitting)
      #expect(try region.lockedByteCount() == 1 << 20)
      // The same range pinned again counts once.
      try region.pin(fitting)
    }
    #expect(
      text(of: result)
        == "pinning 2 MiB would pass the limit on pinned memory (RLIMIT_MEMLOCK) of 1 MiB, of which 12 KiB are in use; "
        + "1012 KiB of it could be pinned, and none of it is; set `ulimit -l 2060` or more, or pin less")
  }

  @Test func aLimitOfNothingIsNamedToo() async {
    await #expect(processExitsWith: .success) {
      try limitPinning(to: 0)
      let region = try MemoryRegion(committing: 8192)
      let shortfall = PinError.overLimit(
        PinShortfall(wantedByteCount: 8192, pinnedBeforeByteCount: 0, limitByteCount: 0, fittingByteCount: 0))
      #expect(throws: shortfall) { try region.pin(when: .onFault) }
      #expect("\(shortfall)".contains("`ulimit -l 8`"))
    }
  }

  @Test func aGrownLimitLetsTheSameWishPass() async {
    await #expect(processExitsWith: .success) {
      try limitPinning(to: 1 << 20, hardLimit: 8 << 20)
      let region = try MemoryRegion(committing: 4 << 20)
      do throws(PinError) {
        try region.pin()
        fatalError("the limit does not hold")
      } catch {
        guard case .overLimit(let shortfall) = error else { fatalError("\(error)") }
        try setPinLimit(to: shortfall.neededLimitKibibytes * 1024, hardLimit: 8 << 20)
      }
      try region.pin()
      #expect(try region.lockedByteCount() == 4 << 20)
    }
  }
}

/// Lowers the process's limit on pinned memory and drops the privilege to ignore it.
private func limitPinning(to byteCount: UInt64, hardLimit: UInt64? = nil) throws {
  try setPinLimit(to: byteCount, hardLimit: hardLimit ?? byteCount)
  if geteuid() == 0 {
    // "nobody": a change from root to this user drops every effective capability.
    try #require(setuid(65534) == 0)
  }
  try #require(SystemMemory.pinned?.isExempt == false)
}

private func setPinLimit(to byteCount: UInt64, hardLimit: UInt64) throws {
  var limit = rlimit(rlim_cur: rlim_t(byteCount), rlim_max: rlim_t(hardLimit))
  // SAFETY: the limit is a local. 8 is RLIMIT_MEMLOCK.
  try #require(unsafe setrlimit(__rlimit_resource_t(8), &limit) == 0)
}
