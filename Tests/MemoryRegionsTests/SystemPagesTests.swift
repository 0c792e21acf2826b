import Addresses
import Foundation
import LabTestSupport
import MemoryRegions
import Testing

@Suite("The system calls on pages")
struct SystemPagesTests {
  private let page = SystemPages.byteCount

  private func byte(_ address: UInt) -> UInt8 { TestMemory.byte(at: VirtAddr(address)) }
  private func setByte(_ value: UInt8, _ address: UInt) { TestMemory.setByte(value, at: VirtAddr(address)) }

  @Test("Byte counts are rounded up to whole pages")
  func rounded() {
    #expect(SystemPages.rounded(0) == 0)
    #expect(SystemPages.rounded(1) == page)
    #expect(SystemPages.rounded(page) == page)
    #expect(SystemPages.rounded(UInt.max - 4095) == UInt.max - 4095)
    #expect(SystemPages.rounded(UInt.max - 4094) == 0)
  }

  @Test("Reserved pages are aligned, committed on request, and read as zeros once they are given back")
  func reserved() throws {
    let byteCount = 16 * page
    let base = try SystemPages.reserve(byteCount: byteCount, alignment: 1 << 21)
    #expect(base.isMultiple(of: 1 << 21))
    try SystemPages.commit(base + page, byteCount: 2 * page)
    setByte(7, base + page)
    setByte(8, base + 3 * page - 1)
    try SystemPages.decommit(base + page, byteCount: 2 * page)
    #expect(byte(base + page) == 0 && byte(base + 3 * page - 1) == 0)
    try SystemPages.unmap(base, byteCount: byteCount)
    #expect(throws: SystemError(ENOMEM), "released pages cannot be committed") {
      try SystemPages.commit(base, byteCount: page)
    }
  }

  @Test("A mapping keeps its content when it grows and shrinks")
  func resized() throws {
    var block = try SystemPages.map(byteCount: 4 * page, alignment: 1 << 16)
    #expect(block.isMultiple(of: 1 << 16))
    for number in 0..<4 { setByte(UInt8(number + 1), block + UInt(number) * page) }
    block = try SystemPages.resize(block, byteCount: 4 * page, to: 600 * page)
    for number in 0..<4 { #expect(byte(block + UInt(number) * page) == number + 1) }
    #expect(byte(block + 599 * page) == 0)
    block = try SystemPages.resize(block, byteCount: 600 * page, to: 2 * page)
    #expect(byte(block + page) == 2)
    try SystemPages.unmap(block, byteCount: 2 * page)
  }

  @Test("A page that is wiped on fork reads as zeros in the child, and as before in the parent")
  func wipedOnFork() throws {
    let block = try SystemPages.map(byteCount: 2 * page)
    defer { try? SystemPages.unmap(block, byteCount: 2 * page) }
    setByte(7, block)
    setByte(8, block + page)
    try SystemPages.wipeOnFork(block, byteCount: page)
    // SAFETY: this is the C library's `fork`, which Swift hides. The child reads two bytes and ends.
    let fork = unsafe unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)
    let child = fork()
    if child == 0 { _exit(Int32(byte(block)) * 16 + Int32(byte(block + page))) }
    var status: Int32 = 0
    // SAFETY: the status is a local.
    #expect(unsafe waitpid(child, &status, 0) == child)
    #expect(status == 8 << 8, "the exit status is the second byte of what waitpid gives")
    #expect(byte(block) == 7)
  }
}

/// Checks what each function throws when the system refuses, and what it leaves as it was.
@Suite("Refused system calls on pages")
struct RefusedSystemPagesTests {
  private let page = SystemPages.byteCount
  /// An address of the kernel's half: the process never has anything there.
  private let nowhere = UInt.max << 55

  private func byte(_ address: UInt) -> UInt8 { TestMemory.byte(at: VirtAddr(address)) }
  private func setByte(_ value: UInt8, _ address: UInt) { TestMemory.setByte(value, at: VirtAddr(address)) }

  @Test("A request that the address space cannot hold is refused")
  func tooLarge() {
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.map(byteCount: 1 << 62) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.reserve(byteCount: 1 << 62, alignment: 1 << 21) }
    #expect(throws: SystemError(ENOMEM), "the slack must not overflow") {
      try SystemPages.map(byteCount: UInt.max & ~4095, alignment: 1 << 21)
    }
    #expect(throws: SystemError(ENOMEM), "the slack must not overflow") {
      try SystemPages.reserve(byteCount: UInt.max & ~4095, alignment: 1 << 21)
    }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.map(at: nowhere, byteCount: page) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.reset(nowhere, byteCount: page) }
    #expect(throws: SystemError(EINVAL)) { try SystemPages.unmap(nowhere, byteCount: page) }
  }

  @Test("Nothing is mapped over a mapping")
  func occupied() throws {
    let block = try SystemPages.map(byteCount: 3 * page)
    defer { try? SystemPages.unmap(block, byteCount: 3 * page) }
    try SystemPages.unmap(block, byteCount: page)
    setByte(7, block + page)
    #expect(throws: SystemError(EEXIST)) { try SystemPages.map(at: block, byteCount: 2 * page) }
    #expect(throws: SystemError(EEXIST)) { try SystemPages.map(at: block + page, byteCount: page) }
    #expect(byte(block + page) == 7)
  }

  @Test("Too few huge pages throw ENOMEM, and a size that is none of theirs throws EINVAL")
  func noHugePages() {
    #expect(throws: SystemError(EINVAL)) { try SystemPages.mapHuge(byteCount: page, pageSize: .size4KiB) }
    guard let pool = SystemMemory.hugePagePool(.size2MiB), pool.freeCount < 50_000 else {
      print("skipped: a system without pages of 2 MiB, or with a large pool")
      return
    }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.mapHuge(byteCount: 100_000 << 20, pageSize: .size2MiB) }
  }

  @Test("A mapping that cannot grow stays as it was")
  func notResized() throws {
    let block = try SystemPages.map(byteCount: page)
    defer { try? SystemPages.unmap(block, byteCount: page) }
    setByte(7, block)
    // No gap is that large, and some kernels throw EINVAL for more than a process can have.
    let most: UInt = 1 << 47 - 2 * page
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.resize(block, byteCount: page, to: most) }
    #expect(byte(block) == 7)
    #expect(throws: SystemError(EFAULT)) { try SystemPages.resize(nowhere, byteCount: page, to: 2 * page) }
  }

  @Test("Pages that are not mapped throw ENOMEM")
  func notMapped() throws {
    for permissions in [.userReadOnly, .userData, .userCode, MemPerm()] as [MemPerm] {
      #expect(throws: SystemError(ENOMEM)) { try SystemPages.protect(nowhere, byteCount: page, as: permissions) }
    }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.commit(nowhere, byteCount: page) }
    for advice in [.drop, .dropLazily, .wipeOnFork] as [SystemPages.Advice] {
      #expect(throws: SystemError(ENOMEM)) { try SystemPages.advise(nowhere, byteCount: page, advice) }
    }
    // A system without transparent huge pages throws EINVAL first.
    for advice in [.useHugePages, .avoidHugePages] as [SystemPages.Advice] {
      let error = #expect(throws: SystemError.self) { try SystemPages.advise(nowhere, byteCount: page, advice) }
      #expect(error == SystemError(ENOMEM) || error == SystemError(EINVAL))
    }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.decommit(nowhere, byteCount: page) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.wipeOnFork(nowhere, byteCount: page) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.pin(nowhere, byteCount: page, onFault: false) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.pin(nowhere, byteCount: page, onFault: true) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.unpin(nowhere, byteCount: page) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.residentByteCount(nowhere, byteCount: page) }
    #expect(try SystemPages.lockedByteCount(nowhere, byteCount: page) == 0)
  }

  @Test("Pages without access are neither pre-faulted nor pinned at once")
  func notCommitted() throws {
    let base = try SystemPages.reserve(byteCount: page, alignment: page)
    defer { try? SystemPages.unmap(base, byteCount: page) }
    #expect(throws: SystemError(EFAULT)) { try SystemPages.prefault(base, byteCount: page) }
    #expect(throws: SystemError(ENOMEM)) { try SystemPages.pin(base, byteCount: page, onFault: false) }
    #expect(try SystemPages.residentByteCount(base, byteCount: page) == 0)
  }

  @Test("A pinned page is not given back, at once or lazily")
  func pinned() throws {
    let block = try SystemPages.map(byteCount: 3 * page)
    defer { try? SystemPages.unmap(block, byteCount: 3 * page) }
    for number in 0..<3 as Range<UInt> { setByte(UInt8(number + 1), block + number * page) }
    try SystemPages.pin(block + page, byteCount: page, onFault: false)
    #expect(throws: SystemError(EINVAL)) { try SystemPages.decommit(block, byteCount: 3 * page) }
    #expect(byte(block + page) == 2)
    #expect(throws: SystemError(EINVAL)) { try SystemPages.advise(block + page, byteCount: page, .dropLazily) }
    #expect(byte(block + page) == 2)
    try SystemPages.unpin(block + page, byteCount: page)
    try SystemPages.decommit(block, byteCount: 3 * page)
    #expect(byte(block + page) == 0)
  }

  @Test("A refusal leaves errno as it was")
  func errnoStays() {
    func errnoAfter(_ call: () throws -> Void) -> Int32 {
      errno = 77
      try? call()
      return errno
    }
    #expect(errnoAfter { _ = try SystemPages.map(byteCount: 1 << 62) } == 77)
    #expect(errnoAfter { try SystemPages.map(at: nowhere, byteCount: page) } == 77)
    #expect(errnoAfter { _ = try SystemPages.resize(nowhere, byteCount: page, to: 2 * page) } == 77)
    #expect(errnoAfter { try SystemPages.unmap(nowhere, byteCount: page) } == 77)
    #expect(errnoAfter { try SystemPages.decommit(nowhere, byteCount: page) } == 77)
    #expect(errnoAfter { try SystemPages.commit(nowhere, byteCount: page) } == 77)
    #expect(errnoAfter { try SystemPages.pin(nowhere, byteCount: page, onFault: false) } == 77)
  }
}
