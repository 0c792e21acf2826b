import FirstFitHeap
import MemoryRegions
import Testing

@Suite struct FirstFitHeapExample {
  @Test func aHeapOverAPinnedRegion() throws {
    // BEGIN
    let region = try MemoryRegion(committing: 1 << 20)
    try region.pin()  // no page of the heap is ever swapped out
    var heap = FirstFitHeap(over: region.range)
    guard let block = heap.allocate(byteCount: 1000, alignment: 64) else { fatalError("the heap is full") }
    heap.deallocate(block)
    // END
    #expect(block.isAligned(to: 64) && region.range.contains(block))
    #expect(try region.lockedByteCount() == 1 << 20)
    #expect(heap.statistics.blockCount == 0)
  }
}
