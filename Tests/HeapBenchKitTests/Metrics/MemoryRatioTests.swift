import Testing

@testable import HeapBenchKit

@Suite struct MemoryRatioTests {
  @Test func ratiosOfSpentToAsked() {
    #expect(MemoryRatios.blowUp(peakHeapByteCount: 300, peakLiveByteCount: 200) == 1.5)
    #expect(MemoryRatios.blowUp(peakHeapByteCount: 300, peakLiveByteCount: 0) == 1)
    #expect(MemoryRatios.internalWaste(grantedByteCount: 4096, requestedByteCount: 1024) == 4)
    #expect(MemoryRatios.residency(residentByteCount: 10, liveByteCount: 4) == 2.5)
    #expect(MemoryRatios.residency(residentByteCount: 10, liveByteCount: 0) == nil)
  }

  @Test func oraclePacksBlocksRoundedToTheirAlignment() {
    var oracle = CompactionOracle()
    oracle.insert(byteCount: 0, alignmentLog2: 0)  // 16
    oracle.insert(byteCount: 17, alignmentLog2: 0)  // 32
    oracle.insert(byteCount: 100, alignmentLog2: 6)  // 128
    #expect(oracle.byteCount == 176)
    oracle.remove(byteCount: 17, alignmentLog2: 0)
    #expect(oracle.byteCount == 144)
    oracle.insert(byteCount: 8, alignmentLog2: 3)  // 16
    #expect(oracle.byteCount == 160)
    #expect(oracle.peakByteCount == 176)
  }

  @Test func growthIsForcedOnlyWhenTheBytesAreThereInPieces() {
    var growth = ForcedGrowth()
    #expect(growth.share == 0)
    growth.countGrowth(byteCount: 100, freeByteCount: 100)  // enough, in pieces
    growth.countGrowth(byteCount: 100, freeByteCount: 99)  // too few
    growth.countServed()
    growth.countServed()
    #expect(growth.forcedCount == 1)
    #expect(growth.share == 0.25)
  }

  @Test func robsonBoundGrowsWithTheSpreadOfSizes() {
    let bound = { RobsonBound.byteCount(peakLiveByteCount: 1000, smallestByteCount: 16, largestByteCount: $0) }
    #expect(bound(16) == 1000)
    #expect(bound(32) == 2000)
    #expect(bound(16384) == 11_000)
  }
}
