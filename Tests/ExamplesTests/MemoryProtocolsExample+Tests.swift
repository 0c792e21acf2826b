import Addresses
import LabTestSupport
import MemoryProtocols
import Testing

@Suite struct MemoryProtocolsExample {
  @Test func aPolicyOfOnesOwn() throws {
    let memory = TestMemory(byteCount: 4096)
    var heap = BumpHeap(over: memory.range)
    let first = try unwrapped(heap.allocate(byteCount: 100, alignment: 64))
    let second = try unwrapped(heap.allocate(byteCount: 1, alignment: 1))
    #expect(first.isAligned(to: 64) && second >= first + 100)
    #expect(heap.usableByteCount(of: first) == 100)
    #expect(heap.resize(first, toByteCount: 99) && !heap.resize(first, toByteCount: 101))
    #expect(heap.allocate(byteCount: 4096, alignment: 16) == nil)
    #expect(heap.allocate(byteCount: .max, alignment: 16) == nil)
    #expect(heap.allocate(byteCount: 0, alignment: 1 << 63) == nil)
    #expect(heap.statistics.blockCount == 2)
    heap.deallocate(second)
    heap.deallocate(first)
    let statistics = heap.statistics
    #expect(statistics.freeByteCount == 4096 && statistics.usedByteCount == 0 && statistics.peakUsedByteCount > 100)
    #expect(heap.allocate(byteCount: 4096 - 16, alignment: 16) == memory.range.start + 16)
  }
}
