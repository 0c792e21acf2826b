import GeneralHeap
import MemoryRegions
import Testing

@Suite struct GeneralHeapExample {
  @Test func aHeapWithAQuota() throws {
    // BEGIN
    let region = try MemoryRegion(committing: 64 << 20)
    var heap = GeneralHeap(over: region.range, quotaByteCount: 16 << 20)
    var blocks = 0
    while heap.allocate(byteCount: 1 << 20, alignment: 16) != nil { blocks += 1 }  // nil at the quota
    // END
    #expect(blocks >= 12 && blocks < 16)
  }
}
