import Addresses
import Foundation
import LabTestSupport
import MemoryRegions
import Testing

/// The effects of commit, decommit, protect and pre-fault on the memory itself.
@Suite struct CommitTests {
  @Test func aReservedPageCannotBeRead() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      let region = try MemoryRegion(reserving: 8192)
      exit(Int32(region[0]))
    }
  }

  @Test func onlyTheCommittedPartCanBeWritten() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      let region = try MemoryRegion(reserving: 8192)
      try region.commit(region.firstPages(1))
      region[4095] = 1
      region[4096] = 1
    }
  }

  @Test func committedMemoryIsZeroAndKeepsWhatIsWritten() throws {
    let region = try MemoryRegion(reserving: 1 << 20)
    try region.commit(region.firstPages(4))
    #expect(region[0] == 0 && region[16383] == 0)
    region[16383] = 9
    try region.commit()
    #expect(region[16383] == 9)
  }

  @Test func memoryGivenBackAtOnceReadsAsZero() throws {
    let region = try MemoryRegion(committing: 1 << 20)
    region[0] = 5
    region[4096] = 6
    #expect(try region.residentByteCount() == 8192)
    try region.decommit(region.firstPages(1))
    #expect(try region.residentByteCount() == 4096)
    #expect(region[0] == 0)
    #expect(region[4096] == 6)
  }

  @Test func memoryGivenBackLazilyReadsAsBeforeOrAsZero() throws {
    let region = try MemoryRegion(committing: 1 << 20)
    region[0] = 5
    try region.decommit(by: .lazily)
    #expect(region[0] == 5 || region[0] == 0)
    region[0] = 6
    #expect(region[0] == 6)
  }

  @Test func aPartBroughtBackToReservedCannotBeReadAndCanBeCommittedAgain() async throws {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      let region = try MemoryRegion(committing: 8192)
      region[0] = 5
      try region.decommit(region.firstPages(1), by: .toReserved)
      exit(Int32(region[0]))
    }
    let region = try MemoryRegion(committing: 8192)
    region[0] = 5
    region[4096] = 6
    try region.decommit(region.firstPages(1), by: .toReserved)
    #expect(region[4096] == 6)
    try region.commit()
    #expect(region[0] == 0 && region[4096] == 6)
  }

  @Test func pinnedMemoryIsNotGivenBack() throws {
    let region = try MemoryRegion(committing: 8192)
    region[0] = 5
    try region.pin()
    #expect(throws: DecommitError.pinned(region.range)) { try region.decommit() }
    #expect(region[0] == 5)
    try region.unpin()
    try region.decommit()
    #expect(region[0] == 0)
  }

  @Test func aReadOnlyPartCanBeReadAndNotWritten() async {
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      let region = try MemoryRegion(committing: 8192)
      region[0] = 5
      try region.protect(region.firstPages(1), as: .userReadOnly)
      guard region[0] == 5 else { fatalError("the content is gone") }
      region[4096] = 1
      region[0] = 6
    }
  }

  @Test func codeCanRunWhereExecutionIsAllowed() throws {
    #if arch(x86_64)
      let region = try MemoryRegion(committing: 4096)
      // mov eax, 42; ret
      for (offset, byte) in [0xB8, 42, 0, 0, 0, 0xC3].enumerated() { region[offset] = UInt8(byte) }
      try region.protect(as: .userCode)
      let function = unsafe unsafeBitCast(region.start.unsafePointer, to: (@convention(c) () -> Int32).self)
      #expect(function() == 42)
    #endif
  }

  @Test func prefaultPutsMemoryBehindEveryPageAndKeepsTheContent() throws {
    let region = try MemoryRegion(committing: 1 << 20)
    region[5000] = 9
    #expect(try region.residentByteCount() == 4096)
    try region.prefault()
    #expect(try region.residentByteCount() == 1 << 20)
    #expect(region[5000] == 9)
  }

  @Test func whatIsNotCommittedCannotBePrefaulted() throws {
    let region = try MemoryRegion(reserving: 8192)
    #expect(throws: PrefaultError.self) { try region.prefault() }
  }

  @Test func transparentHugePagesBackAnAlignedPartThatIsAdvised() throws {
    let mode = (try? String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8)) ?? ""
    guard mode.contains("[madvise]") || mode.contains("[always]") else {
      print("skipped: transparent huge pages")
      return
    }
    let region = try MemoryRegion(reserving: 4 << 20, alignment: 2 << 20)
    try region.commit()
    try region.useTransparentHugePages(false)
    region[0] = 1
    #expect(try region.residentByteCount() == 4096)
    try region.useTransparentHugePages(true, in: AddrRange(start: region.start + (2 << 20), byteCount: 2 << 20))
    region[2 << 20] = 1
    // The system may be out of 2 MiB frames; it then provides one small page.
    let resident = try region.residentByteCount()
    #expect(resident == 4096 + 2 << 20 || resident == 8192)
  }
}
