import Addresses
import Foundation
import MemoryRegions
import Testing

/// Explicit huge pages. The pool belongs to the whole machine, so these tests run one after another and restore it.
@Suite(.serialized) struct HugePageTests {
  @Test func anEmptyPoolFallsBackAndSaysWhy() throws {
    guard let pool = SystemMemory.hugePagePool(.size1GiB), pool.freeCount < 100 else {
      print("skipped: a system without pages of 1 GiB, or with a large pool")
      return
    }
    let region = try MemoryRegion(committing: 100 << 30, pages: .size1GiB)
    #expect(region.backing.wanted == .size1GiB)
    #expect(region.backing.size < .size1GiB)
    let shortfall = HugePageShortfall.poolTooSmall(.size1GiB, neededCount: 100, freeCount: pool.freeCount)
    #expect(region.backing.shortfall == shortfall)
    #expect(region.start.isAligned(to: 1 << 30))
    region[0] = 1
    #expect(region[0] == 1)
  }

  @Test func anEmptyPoolIsAnErrorWhereNothingSmallerWillDo() throws {
    guard let pool = SystemMemory.hugePagePool(.size2MiB), pool.freeCount < 50_000 else {
      print("skipped: a system without pages of 2 MiB, or with a large pool")
      return
    }
    let shortfall = HugePageShortfall.poolTooSmall(.size2MiB, neededCount: 50_000, freeCount: pool.freeCount)
    #expect(throws: ReserveError.hugePages(shortfall)) {
      _ = try MemoryRegion(committing: 100_000 << 20, pages: .size2MiB, acceptsSmaller: false)
    }
  }

  @Test func aPoolWithPagesServesThem() throws {
    let file = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
    guard let pool = SystemMemory.hugePagePool(.size2MiB) else {
      print("skipped: pages of 2 MiB")
      return
    }
    try? "\(pool.totalCount + 4)".write(toFile: file, atomically: false, encoding: .utf8)
    defer { try? "\(pool.totalCount)".write(toFile: file, atomically: false, encoding: .utf8) }
    guard let raised = SystemMemory.hugePagePool(.size2MiB), raised.freeCount >= 4 else {
      print("skipped: the pool of pages of 2 MiB cannot be raised; run as root")
      return
    }
    let region = try MemoryRegion(committing: 5 << 20, pages: .size2MiB, acceptsSmaller: false)
    #expect(region.byteCount == 6 << 20)
    #expect(region.backing.size == .size2MiB)
    #expect(region.backing.shortfall == nil)
    #expect(region.start.isAligned(to: 2 << 20))
    // Reserved at once: another region finds them gone.
    #expect(SystemMemory.hugePagePool(.size2MiB)?.freeCount == raised.freeCount - 3)
    region[0] = 1
    #expect(try region.residentByteCount() == 2 << 20)
    #expect(try region.lockedByteCount() == 2 << 20)
    #expect(throws: DecommitError.hugePagesStay(.size2MiB)) { try region.decommit(by: .lazily) }
    try region.prefault()
    #expect(try region.residentByteCount() == 6 << 20)
    try region.decommit()
    #expect(region[0] == 0)
    try region.pin()
    try region.unpin()
    try region.release()
    #expect(SystemMemory.hugePagePool(.size2MiB)?.freeCount == raised.freeCount)
  }
}
