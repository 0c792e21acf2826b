import Addresses
import Foundation
import LabTestSupport
import Testing

@testable import ProcessHeap

/// Blocks above 32 MiB, each test in a process of its own: how much of them the heap keeps, and who gets it.
@Suite
struct MappedBlocksTests {
  private static let mebibyte: UInt = 1 << 20

  private static func touch(_ block: UInt, _ byteCount: UInt, _ value: UInt8) {
    for offset in stride(from: 0, to: byteCount, by: 4096) { TestMemory.setByte(value, at: VirtAddr(block + offset)) }
  }

  private static func holds(_ block: UInt, _ byteCount: UInt, _ value: UInt8) -> Bool {
    stride(from: 0, to: byteCount, by: 4096).allSatisfy { TestMemory.byte(at: VirtAddr(block + $0)) == value }
  }

  /// Frees a block of so many mebibytes.
  private static func free(_ count: UInt) { ProcessHeap.deallocate(ProcessHeap.allocate(count * mebibyte)) }

  private static var keptMebibyteCount: UInt { MappedBlocks.keptByteCount / mebibyte }

  @Test("A freed block's mapping serves the next block, and counts as free meanwhile")
  func reuse() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_PURGE_DELAY", "1000000", 1)
      let block = ProcessHeap.allocate(64 * Self.mebibyte)
      let before = ProcessHeap.statistics
      Self.touch(block, 64 * Self.mebibyte, 1)
      ProcessHeap.deallocate(block)
      let kept = ProcessHeap.statistics
      #expect(kept.mapped_count == 0 && kept.mapped_byte_count == 0)
      #expect(kept.free_byte_count == before.free_byte_count + 64 << 20)
      #expect(kept.committed_byte_count == before.committed_byte_count + 64 << 20)
      #expect(ProcessHeap.allocate(64 * Self.mebibyte) == block)
      #expect(ProcessHeap.statistics.free_byte_count == before.free_byte_count)
      ProcessHeap.deallocate(block)
      let zeroed = ProcessHeap.allocateZeroed(50 * Self.mebibyte)
      #expect(zeroed == block && Self.holds(zeroed, 50 * Self.mebibyte, 0))
      #expect(Self.keptMebibyteCount == 14)
      #expect(ProcessHeap.trim() && Self.keptMebibyteCount == 0 && !ProcessHeap.trim())
    }
  }

  @Test("A new mapping comes after as many kept bytes have gone")
  func newMapping() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_PURGE_DELAY", "1000000", 1)
      for count: UInt in [40, 60, 90, 200] {
        let block = ProcessHeap.allocate(count * Self.mebibyte)
        #expect(Self.keptMebibyteCount == 0)
        ProcessHeap.deallocate(block)
        #expect(Self.keptMebibyteCount == count)
      }
      let (first, second) = (ProcessHeap.allocate(100 * Self.mebibyte), ProcessHeap.allocate(101 * Self.mebibyte))
      #expect(Self.keptMebibyteCount == 0, "100 were kept, and 101 are new")
      ProcessHeap.deallocate(first)
      ProcessHeap.deallocate(second)
      #expect(Self.keptMebibyteCount == 201)
    }
  }

  @Test("The bounds hold, and nothing below 32 MiB or above 1 GiB is kept")
  func bounds() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_PURGE_DELAY", "1000000", 1)
      let blocks = (0..<20).map { _ in ProcessHeap.allocate(33 * Self.mebibyte) }
      for block in blocks { ProcessHeap.deallocate(block) }
      #expect(Self.keptMebibyteCount == 16 * 33)
      let large = (0..<5).map { _ in ProcessHeap.allocate(300 * Self.mebibyte) }
      for block in large { ProcessHeap.deallocate(block) }
      #expect(Self.keptMebibyteCount == 3 * 300)
      Self.free(1025)
      #expect(Self.keptMebibyteCount == 0, "its new mapping took the place of all that was kept")
      Self.free(32)
      #expect(Self.keptMebibyteCount == 0)
    }
  }

  @Test("After the delay each slow path returns a piece")
  func decay() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_PURGE_DELAY", "50", 1)
      let held = ProcessHeap.allocate(40 * Self.mebibyte)
      Self.free(64)
      #expect(ProcessHeap.usableByteCount(of: held) == 40 * Self.mebibyte && Self.keptMebibyteCount == 64)
      usleep(100_000)
      for left in stride(from: UInt(62), through: 0, by: -2) {
        #expect(ProcessHeap.usableByteCount(of: held) == 40 * Self.mebibyte)
        #expect(Self.keptMebibyteCount == left)
      }
    }
  }

  @Test("Without a delay nothing is kept")
  func noDelay() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_PURGE_DELAY", "0", 1)
      Self.free(64)
      #expect(Self.keptMebibyteCount == 0)
    }
  }

  @Test("Under a limit of the address space nothing is kept")
  func addressSpaceLimit() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_PURGE_DELAY", "1000000", 1)
      let block = ProcessHeap.allocate(64 * Self.mebibyte)
      // 9 is RLIMIT_AS, which Glibc's module does not show.
      var limit = rlimit(rlim_cur: 1 << 60, rlim_max: 1 << 60)
      // SAFETY: the limit comes from a local.
      #expect(unsafe setrlimit(__rlimit_resource_t(9), &limit) == 0)
      ProcessHeap.deallocate(block)
      #expect(Self.keptMebibyteCount == 0)
    }
  }

  @Test("Kept mappings count against the quota, and give way to every kind of request")
  func quota() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_PURGE_DELAY", "1000000", 1)
      setenv("HEAPLAB_LIMIT", "128M", 1)
      Self.free(100)
      let mapped = ProcessHeap.allocate(120 * Self.mebibyte)
      #expect(mapped != 0)
      ProcessHeap.deallocate(mapped)
      let inArena = ProcessHeap.allocate(20 * Self.mebibyte)
      #expect(inArena != 0 && Self.keptMebibyteCount == 0)
      ProcessHeap.deallocate(inArena)
      _ = ProcessHeap.trim()
      Self.free(120)
      let small = (0..<600).map { _ in ProcessHeap.allocate(30_000) }
      #expect(!small.contains(0))
      for block in small { ProcessHeap.deallocate(block) }
      _ = ProcessHeap.trim()
      let (grown, other) = (ProcessHeap.allocate(40 * Self.mebibyte), ProcessHeap.allocate(50 * Self.mebibyte))
      ProcessHeap.deallocate(other)
      let moved = ProcessHeap.reallocate(grown, 80 * Self.mebibyte)
      #expect(moved != 0 && Self.keptMebibyteCount == 0)
      // What is kept when a quota is set counts, too.
      ProcessHeap.deallocate(moved)
      ProcessHeap.setQuota(byteCount: .max)
      ProcessHeap.setQuota(byteCount: 100 * Self.mebibyte)
      #expect(!ProcessHeap.processSpace.charge(byteCount: 30 * Self.mebibyte))
      #expect(ProcessHeap.trim() && ProcessHeap.processSpace.charge(byteCount: 30 * Self.mebibyte))
    }
  }

  @Test("Threads take and leave mappings at once, and no block is another one's", arguments: [2, 4])
  func threads(threadCount: Int) async {
    await #expect(processExitsWith: .success) { [threadCount] in
      setenv("HEAPLAB_PURGE_DELAY", "1", 1)
      ProcessHeap.deallocate(ProcessHeap.allocate(1))
      Threads.run(threadCount) { number in
        var generator = SeededGenerator(seed: UInt64(number) + 1)
        for step in 0..<60 {
          let byteCount = UInt.random(in: 33...70, using: &generator) * Self.mebibyte
          let isZeroed = Bool.random(using: &generator)
          var block = isZeroed ? ProcessHeap.allocateZeroed(byteCount) : ProcessHeap.allocate(byteCount)
          let isZero = { Self.holds(block, byteCount, 0) }
          if isZeroed, !isZero() { Issue.record("thread \(number), step \(step): calloc's block is not zero") }
          Self.touch(block, byteCount, UInt8(number + 1))
          if step % 8 == 0 { block = ProcessHeap.reallocate(block, byteCount + 20 * Self.mebibyte) }
          if step % 16 == 5 { _ = ProcessHeap.trim() }
          if !Self.holds(block, byteCount, UInt8(number + 1)) { Issue.record("thread \(number), step \(step): lost") }
          ProcessHeap.deallocate(block)
        }
      }
      #expect(ProcessHeap.statistics.mapped_count == 0)
    }
  }
}
