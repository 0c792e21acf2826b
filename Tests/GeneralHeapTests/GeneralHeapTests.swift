import Addresses
import LabTestSupport
import MemoryProtocols
import Testing

@testable import GeneralHeap

@Suite("The general heap as a value")
struct GeneralHeapTests {
  @Test("Every alignment up to a mebibyte, at sizes below it and above")
  func alignments() {
    let memory = TestMemory(byteCount: 64 << 20)
    var heap = GeneralHeap(over: memory.range)
    for shift in UInt(0)...20 {
      for byteCount in [0, 1, 100, 5000, 32 << 10, 32 << 10 + 1, 200_000] as [UInt] {
        guard let block = heap.allocate(byteCount: byteCount, alignment: 1 << shift) else {
          Issue.record("no memory for \(byteCount) bytes at a multiple of 2^\(shift)")
          continue
        }
        #expect(block.isAligned(to: 1 << shift) && block.isAligned(to: 16), "\(byteCount) at 2^\(shift)")
        #expect(heap.usableByteCount(of: block) >= byteCount)
      }
    }
  }

  @Test("Out of memory is nil, and frees make room again")
  func outOfMemory() {
    let memory = TestMemory(byteCount: 4 << 20)
    for byteCount in [UInt(100), 5000, 30_000, 100_000] {
      var heap = GeneralHeap(over: memory.range)
      var blocks: [VirtAddr] = []
      while let block = heap.allocate(byteCount: byteCount, alignment: 16) { blocks.append(block) }
      #expect(UInt(blocks.count) * byteCount > 2 << 20, "\(byteCount)")
      for block in blocks { heap.deallocate(block) }
      var again = 0
      while heap.allocate(byteCount: byteCount, alignment: 16) != nil { again += 1 }
      #expect(again >= blocks.count, "\(byteCount)")
    }
  }

  @Test("Memory that was blocks of one size serves every other", arguments: [UInt.max, 12 << 20])
  func phases(quotaByteCount: UInt) {
    let memory = TestMemory(byteCount: 16 << 20)
    var heap = GeneralHeap(over: memory.range, quotaByteCount: quotaByteCount)
    let least = min(quotaByteCount, 16 << 20) / 5 * 4
    for byteCount in [1_000_000, 100, 30_000, 100_000, 1000, 1_000_000] as [UInt] {
      var blocks: [VirtAddr] = []
      while let block = heap.allocate(byteCount: byteCount, alignment: 16) { blocks.append(block) }
      #expect(UInt(blocks.count) * byteCount > least, "\(byteCount)")
      for block in blocks { heap.deallocate(block) }
    }
  }

  @Test("The quota is kept")
  func quota() {
    let memory = TestMemory(byteCount: 16 << 20)
    var heap = GeneralHeap(over: memory.range, quotaByteCount: 1 << 20)
    var count: UInt = 0
    while heap.allocate(byteCount: 1000, alignment: 16) != nil { count += 1 }
    #expect(count * 1000 <= 1 << 20 && count * 1000 > 800 << 10)
  }

  @Test("A range too small to use is a full heap")
  func tooSmall() {
    let memory = TestMemory(byteCount: 64 << 10)
    var heap = GeneralHeap(over: memory.range)
    #expect(heap.allocate(byteCount: 1, alignment: 1) == nil)
    #expect(heap.statistics == HeapStatistics())
  }

  @Test("A double free ends the process with one line")
  func doubleFree() async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) {
      let memory = TestMemory(byteCount: 4 << 20)
      var heap = GeneralHeap(over: memory.range)
      guard let block = heap.allocate(byteCount: 40, alignment: 16) else { return }
      _ = heap.allocate(byteCount: 40, alignment: 16)
      heap.deallocate(block)
      heap.deallocate(block)
    }
    #expect(text(of: result).hasPrefix("heaplab: double free: 0x"))
  }

  @Test("A free inside a block ends the process with one line", arguments: [UInt(40), 5000, 100_000])
  func interiorFree(byteCount: UInt) async {
    let result = await #expect(processExitsWith: .signal(6), observing: [\.standardErrorContent]) { [byteCount] in
      let memory = TestMemory(byteCount: 4 << 20)
      var heap = GeneralHeap(over: memory.range)
      guard let block = heap.allocate(byteCount: byteCount, alignment: 16) else { return }
      heap.deallocate(block + 16)
    }
    #expect(text(of: result).hasPrefix("heaplab: free of a pointer "))
  }
}
