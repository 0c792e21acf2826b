import Addresses
import BuddyFrames
import Testing

@Suite struct FreeBlockCountsTests {
  private static func counts(_ blocks: [UInt8: UInt64]) -> FreeBlockCounts {
    var counts = FreeBlockCounts()
    for (order, count) in blocks { counts[FrameOrder(order)] = count }
    return counts
  }

  @Test func sumsBlocksAndFrames() {
    let counts = Self.counts([0: 3, 2: 5, 9: 1])
    #expect(counts.blockCount == 9)
    #expect(counts.frameCount == 3 + 20 + 512)
    #expect(counts.frameCount(atLeast: FrameOrder(1)) == 532)
    #expect(counts.largestOrder == FrameOrder(9))
    #expect(FreeBlockCounts().largestOrder == nil)
  }

  // Computed by hand: 100 frames in 40 blocks, 20 of one frame and 20 of four.
  @Test func indicesOfScatteredMemory() {
    let counts = Self.counts([0: 20, 2: 20])
    #expect(counts.unusableIndexThousandths(.min) == 0)
    #expect(counts.unusableIndexThousandths(FrameOrder(1)) == 200)
    #expect(counts.unusableIndexThousandths(FrameOrder(2)) == 200)
    #expect(counts.unusableIndexThousandths(FrameOrder(3)) == 1000)
    #expect(counts.fragmentationIndexThousandths(FrameOrder(2)) == -1000)
    // 1 - (1 + 100/8) / 40 = 1 - 13.5/40 = 0.6625; Linux rounds 337.5 down.
    #expect(counts.fragmentationIndexThousandths(FrameOrder(3)) == 663)
    #expect(counts.fragmentationIndex(FrameOrder(3)) == 0.6625)
    // 1 - (1 + 100/1024) / 40 = 0.97255859375: (1000 + 97) / 40 = 27.
    #expect(counts.fragmentationIndexThousandths(FrameOrder(10)) == 973)
    #expect(counts.unusableIndex(FrameOrder(1)) == 0.2)
  }

  @Test func indicesOfTooLittleMemory() {
    // One frame: a request for 512 fails for lack of memory: 1 - (1 + 1/512) / 1, below 0 by 1/512.
    let counts = Self.counts([0: 1])
    #expect(counts.fragmentationIndexThousandths(FrameOrder(9)) == -1)
    #expect(FreeBlockCounts().fragmentationIndexThousandths(.min) == 0)
    #expect(FreeBlockCounts().unusableIndexThousandths(.min) == 1000)
    #expect(FreeBlockCounts().unusableIndex(.min) == 1)
  }

  @Test func readsAsLinuxPrintsIt() {
    let counts = Self.counts([0: 1, 1: 22, 10: 333])
    let line = counts.buddyInfoLine(node: 0, zone: "Normal")
    // Linux: "Node %d, zone %8s " and "%6lu " for each order.
    #expect(
      line.hasPrefix(
        "Node 0, zone   Normal      1     22      0      0      0      0      0      0      0      0    333 "))
    #expect(line.count == 22 + 19 * 7)
    #expect(
      Self.counts([0: 1, 3: 1]).unusableIndexLine(node: 1, zone: "DMA").hasPrefix(
        "Node 1, zone      DMA 0.000 0.111 0.111 0.111 1.000 "))
    #expect(
      Self.counts([0: 1, 3: 1]).fragmentationIndexLine(node: 1, zone: "DMA").hasPrefix(
        "Node 1, zone      DMA -1.000 -1.000 -1.000 -1.000 0.219 "))
  }
}
