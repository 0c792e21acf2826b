import Foundation
import LabTestSupport
import Synchronization
import Testing

@testable import ProcessHeap

/// The thread of HEAPLAB_BACKGROUND=1, each test in a process of its own.
@Suite
struct BackgroundPurgeTests {
  /// Waits, without a call of the heap, until a condition holds; ten seconds at most.
  private static func waits(until condition: () -> Bool) -> Bool {
    for _ in 0..<1000 {
      if condition() { return true }
      usleep(10_000)
    }
    return condition()
  }

  /// Frees a block as the program does.
  private static func freeBlock(_ byteCount: UInt) { ProcessHeap.deallocate(ProcessHeap.allocate(byteCount)) }

  @Test("By default there is no thread")
  func off() async {
    await #expect(processExitsWith: .success) {
      unsetenv("HEAPLAB_BACKGROUND")
      Self.freeBlock(40 << 20)
      #expect(BackgroundPurge.phase == .off)
    }
  }

  @Test("A free starts the thread, which ends once all went back")
  func comesAndGoes() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_BACKGROUND", "1", 1)
      setenv("HEAPLAB_PURGE_DELAY", "50", 1)
      for _ in 0..<3 {
        let block = ProcessHeap.allocate(40 << 20)
        #expect(BackgroundPurge.phase == .absent, "nothing is free yet")
        ProcessHeap.deallocate(block)
        #expect(BackgroundPurge.phase != .absent && MappedBlocks.keptByteCount != 0)
        #expect(Self.waits { BackgroundPurge.phase == .absent })
        #expect(MappedBlocks.keptByteCount == 0)
      }
    }
  }

  @Test("A wake-up in a quiet process empties the heaps of ended threads; one in a busy process leaves what is young")
  func endedHeaps() async {
    await #expect(processExitsWith: .success) {
      setenv("HEAPLAB_BACKGROUND", "0", 1)
      setenv("HEAPLAB_PURGE_DELAY", "1000000", 1)
      ProcessHeap.deallocate(ProcessHeap.allocate(1))
      JoinedThreads.run(1) { _ in
        let blocks = (0..<20_000).map { _ in ProcessHeap.allocate(500) }
        for block in blocks { ProcessHeap.deallocate(block) }
      }
      Self.freeBlock(40 << 20)
      let before = ProcessHeap.statistics.span_count
      BackgroundPurge.purge(isQuiet: false)
      #expect(MappedBlocks.keptByteCount == 40 << 20 && ProcessHeap.statistics.span_count == before)
      BackgroundPurge.purge(isQuiet: true)
      #expect(MappedBlocks.keptByteCount == 0 && ProcessHeap.statistics.span_count < before)
    }
  }

  /// The threads end after the purging thread: that a thread ended orders it before one that takes its heap over, but
  /// ThreadSanitizer does not see that, because the kernel says so.
  @Test("Threads work while memory is purged beside them", arguments: [2, 4])
  func beside(threadCount: Int) async {
    await #expect(processExitsWith: .success) { [threadCount] in
      setenv("HEAPLAB_BACKGROUND", "1", 1)
      setenv("HEAPLAB_PURGE_DELAY", "0", 1)
      ProcessHeap.deallocate(ProcessHeap.allocate(1))
      let workingCount = Atomic(threadCount)
      JoinedThreads.run(threadCount) { number in
        var generator = SeededGenerator(seed: UInt64(number) + 1)
        for step in 0..<(number == 0 ? 60 : 3000) {
          let largest: UInt = [100, 3000, 40_000, 300_000][Int.random(in: 0..<4, using: &generator)]
          Self.freeBlock(UInt.random(in: 0...largest, using: &generator))
          if step % 200 == 100 { usleep(15_000) }
        }
        workingCount.subtract(1, ordering: .relaxed)
        let hasEnded = Self.waits { workingCount.load(ordering: .relaxed) == 0 && BackgroundPurge.phase == .absent }
        if !hasEnded { Issue.record("the purging thread did not end") }
      }
    }
  }
}
