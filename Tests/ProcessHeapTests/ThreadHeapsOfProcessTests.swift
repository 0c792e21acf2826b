import CLabMalloc
import Foundation
import LabTestSupport
import SpinLocks
import Synchronization
import Testing

@testable import ProcessHeap

/// How threads come by heaps, and heaps by new threads. Each test has a process of its own, whose heaps it counts.
@Suite struct ThreadHeapsOfProcessTests {
  private static var heapCount: Int { ProcessHeap.statistics.heap_count }

  /// Allocates until the calling thread has a heap of its own; whether that happened before long.
  private static func growUp() -> Bool {
    for _ in 0..<2000 {
      ProcessHeap.deallocate(ProcessHeap.allocate(100))
      if lab_malloc_heap() != lab_malloc_empty_heap() { return true }
    }
    return false
  }

  @Test("Threads one after the other have one heap")
  func oneAfterTheOther() async {
    await #expect(processExitsWith: .success) {
      ProcessHeap.deallocate(ProcessHeap.allocate(1))
      #expect(Self.heapCount == 1)
      for _ in 0..<40 {
        JoinedThreads.run(1) { _ in #expect(Self.growUp()) }
        #expect(Self.heapCount == 2)
      }
    }
  }

  @Test("A thread goes on with the spans that an ended one had")
  func goesOn() async {
    await #expect(processExitsWith: .success) {
      ProcessHeap.deallocate(ProcessHeap.allocate(1))
      let blocks = Locked<[UInt]>([])
      for _ in 0..<8 {
        JoinedThreads.run(1) { _ in
          #expect(Self.growUp())
          // The first one stays, and the span with it.
          let block = ProcessHeap.allocate(200)
          blocks.withLock { $0.append(block) }
          ProcessHeap.deallocate(ProcessHeap.allocate(200))
        }
      }
      let all = blocks.withLock { $0 }
      #expect(Set(all).count == 8 && Set(all.map { $0 >> 16 }).count == 1)
      #expect(Set(all.map { $0 >> 12 }).count == 1, "nor was a page carved for each")
    }
  }

  @Test("Waves of threads have at most an eighth more heaps than one wave", arguments: [8, 24, 48])
  func waves(threadCount: Int) async {
    await #expect(processExitsWith: .success) { [threadCount] in
      ProcessHeap.deallocate(ProcessHeap.allocate(1))
      // Beside the threads' heaps there is the first thread's, and the one that young threads share.
      for wave in 0..<6 {
        let grownCount = Atomic(0)
        JoinedThreads.run(threadCount) { _ in
          #expect(Self.growUp())
          grownCount.add(1, ordering: .relaxed)
          while grownCount.load(ordering: .relaxed) < threadCount { sched_yield() }
        }
        #expect(Self.heapCount >= threadCount + 1)
        #expect(Self.heapCount <= threadCount + 2 + threadCount / 8, "wave \(wave)")
      }
    }
  }

  @Test("Young threads share a heap, and a live one is never taken over")
  func young() async {
    await #expect(processExitsWith: .success) {
      ProcessHeap.deallocate(ProcessHeap.allocate(1))
      let hold = Atomic(false)
      let startedCount = Atomic(0)
      let blocks = Locked<[UInt]>([])
      JoinedThreads.run(20) { number in
        let block = ProcessHeap.allocate(64)
        blocks.withLock { $0.append(block) }
        startedCount.add(1, ordering: .relaxed)
        if number == 19 {
          while startedCount.load(ordering: .relaxed) < 20 { sched_yield() }
          // All of them live: the first thread's heap, that of one more, and the shared one.
          #expect(Self.heapCount == 3)
          hold.store(true, ordering: .relaxed)
        }
        while !hold.load(ordering: .relaxed) { sched_yield() }
      }
      let all = blocks.withLock { $0 }
      #expect(Set(all).count == 20 && !all.contains(0))
      for block in all { ProcessHeap.deallocate(block) }
      #expect(ProcessHeap.statistics.live_byte_count == 0)
    }
  }

  @Test("Blocks of ended threads are freed by whoever has them, and then nothing is live")
  func outlives() async {
    await #expect(processExitsWith: .success) {
      let blocks = Locked<[UInt]>([])
      for _ in 0..<10 {
        JoinedThreads.run(3) { number in
          for index in UInt(0)..<600 {
            let block = ProcessHeap.allocate(16 + index * UInt(number + 1))
            blocks.withLock { $0.append(block) }
          }
        }
      }
      let all = blocks.withLock { $0 }
      #expect(Set(all).count == all.count && ProcessHeap.statistics.live_byte_count > 0)
      for block in all { ProcessHeap.deallocate(block) }
      #expect(ProcessHeap.statistics.live_byte_count == 0)
    }
  }

  @Test("A trim reaches the heaps of ended threads and the one that young threads share", arguments: [3, 20])
  func trimReaches(threadCount: Int) async {
    await #expect(processExitsWith: .success) { [threadCount] in
      let own = ProcessHeap.allocate(64)
      let startedCount = Atomic(0)
      JoinedThreads.run(threadCount) { _ in
        // All live at once, and each needs a heap of its own or shares one.
        startedCount.add(1, ordering: .relaxed)
        while startedCount.load(ordering: .relaxed) < threadCount { sched_yield() }
        let blocks = (0..<100).map { ProcessHeap.allocate(UInt(16 + 40 * $0)) }
        for block in blocks { ProcessHeap.deallocate(block) }
      }
      #expect(ProcessHeap.statistics.span_count > 1 + threadCount)
      #expect(ProcessHeap.trim())
      #expect(ProcessHeap.statistics.span_count == 1, "that of the block in use")
      #expect(!ProcessHeap.trim(), "nothing is left")
      ProcessHeap.deallocate(own)
    }
  }
}
