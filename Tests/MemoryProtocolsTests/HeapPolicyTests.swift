import Addresses
import MemoryProtocols
import Testing

@Suite struct HeapStatisticsTests {
  @Test func aNewHeapHoldsNothing() {
    let statistics = HeapStatistics()
    #expect(statistics.capacityByteCount == 0 && statistics.usedByteCount == 0 && statistics.freeByteCount == 0)
    #expect(statistics.holeCount == 0 && statistics.blockCount == 0 && statistics.peakUsedByteCount == 0)
    let block = HeapBlock(range: AddrRange(start: VirtAddr(16), byteCount: 32), isFree: true)
    #expect(block.range.byteCount == 32 && block.isFree)
  }
}
