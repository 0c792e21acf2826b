import Foundation
import HeapBlocks
import LabTestSupport
import SpinLocks
import Synchronization
import Testing

@testable import ProcessHeap

/// What the process heap counts: alone, to the byte; with other threads at work, something that it may hold.
@Suite(.serialized)
struct StatisticsTests {
  /// The bytes that a block counts with: those of its class, or, above 32 KiB, with the header.
  private static func counted(_ block: UInt, _ byteCount: UInt) -> UInt {
    let usable = ProcessHeap.usableByteCount(of: block)
    if byteCount <= SizeClass.maximumByteCount { return SizeClass(fitting: byteCount).blockByteCount }
    return usable < 32 << 20 ? usable + 8 : usable
  }

  @Test("Live bytes are those of the blocks, of whatever size", arguments: [1, 2] as [UInt64])
  func model(seed: UInt64) async {
    await #expect(processExitsWith: .success) { [seed] in
      var generator = SeededGenerator(seed: seed)
      var held: [(block: UInt, byteCount: UInt)] = []
      for step in 0..<3000 {
        if held.count < Int.random(in: 0...300, using: &generator) {
          let largest: UInt = [100, 2000, 32 << 10, 300 << 10, 3 << 20][Int.random(in: 0..<5, using: &generator)]
          let byteCount = UInt.random(in: 0...largest, using: &generator)
          held.append((ProcessHeap.allocate(byteCount), byteCount))
        } else {
          ProcessHeap.deallocate(held.remove(at: Int.random(in: 0..<held.count, using: &generator)).block)
        }
        if step % 1000 == 999 { _ = ProcessHeap.trim() }
        guard step % 100 == 99 else { continue }
        let statistics = ProcessHeap.statistics
        let live = held.reduce(0) { $0 + Self.counted($1.block, $1.byteCount) }
        #expect(statistics.live_byte_count == Int(live), "seed \(seed), step \(step)")
        #expect(statistics.committed_byte_count == statistics.live_byte_count + statistics.free_byte_count)
        #expect(statistics.heap_count == 1 && statistics.mapped_count == 0)
      }
    }
  }

  @Test("Blocks that are mappings of their own count beside the others")
  func mappings() async {
    await #expect(processExitsWith: .success) {
      let small = ProcessHeap.allocate(1000)
      let before = ProcessHeap.statistics
      let blocks = (1...5).map { ProcessHeap.allocate(UInt($0 * 40) << 20) }
      let all = ProcessHeap.statistics
      let byteCount = Int(40 << 20) * 15
      #expect(all.mapped_count == 5 && all.mapped_byte_count == byteCount)
      #expect(all.live_byte_count == before.live_byte_count + byteCount)
      #expect(all.committed_byte_count == before.committed_byte_count)
      for block in blocks { ProcessHeap.deallocate(block) }
      #expect(ProcessHeap.statistics.mapped_count == 0 && ProcessHeap.statistics.mapped_byte_count == 0)
      ProcessHeap.deallocate(small)
      #expect(ProcessHeap.statistics.live_byte_count == 0)
    }
  }

  @Test("A trim says whether there was anything, and gives it back")
  func trim() async {
    await #expect(processExitsWith: .success) {
      let blocks = (0..<4000).map { _ in ProcessHeap.allocate(500) }
      for block in blocks { ProcessHeap.deallocate(block) }
      #expect(ProcessHeap.statistics.span_count > 0)
      #expect(ProcessHeap.trim())
      #expect(ProcessHeap.statistics.span_count == 0)
      #expect(!ProcessHeap.trim())
    }
  }

  @Test("While threads allocate and free, others may ask for figures and sizes, and trim", arguments: [2, 4])
  func whileOthersWork(threadCount: Int) {
    let workingCount = Atomic(threadCount)
    let watchingCount = Atomic(2)
    let shared = ProcessHeap.allocate(5000)
    let large = ProcessHeap.allocate(100_000)
    let queue = Locked<[UInt]>([])
    Threads.run(threadCount + 2) { number in
      if number >= threadCount {
        while workingCount.load(ordering: .relaxed) > 0 {
          if number == threadCount {
            // This one takes no lock: nothing orders it after the others.
            let statistics = ProcessHeap.statistics
            if statistics.free_byte_count > statistics.committed_byte_count { Issue.record("\(statistics)") }
          } else {
            if ProcessHeap.usableByteCount(of: shared) < 5000 { Issue.record("the block is too short") }
            if ProcessHeap.usableByteCount(of: large) < 100_000 { Issue.record("the block is too short") }
            _ = ProcessHeap.trim()
          }
        }
        watchingCount.subtract(1, ordering: .relaxed)
        return
      }
      var generator = SeededGenerator(seed: UInt64(number) + 1)
      for step in 0..<(4000 / threadCount) {
        let largest: UInt = [100, 2000, 32 << 10, 300 << 10, 3 << 20][Int.random(in: 0..<20, using: &generator) / 4]
        let block = ProcessHeap.allocate(UInt.random(in: 0...largest, using: &generator))
        queue.withLock { $0.append(block) }
        // Whoever left it: it may be another thread's.
        let other = queue.withLock { $0.count > 100 ? $0.remove(at: step % 100) : 0 }
        ProcessHeap.deallocate(other)
      }
      if number == 0 { ProcessHeap.deallocate(ProcessHeap.allocate(40 << 20)) }
      workingCount.subtract(1, ordering: .relaxed)
      // A trim works on heaps whose threads ended. The kernel tells it so, which ThreadSanitizer does not know.
      while watchingCount.load(ordering: .relaxed) > 0 { sched_yield() }
    }
    for block in queue.withLock({ $0 }) { ProcessHeap.deallocate(block) }
    ProcessHeap.deallocate(shared)
    ProcessHeap.deallocate(large)
  }
}
