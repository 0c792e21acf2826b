import Testing

@testable import HeapBenchKit

/// The heap for which every figure is compared with a number worked out by hand:
///
///     0        100  140      240        300   330        1000
///     | used    |free| used   |  free    | used | free    |
///
/// Runs of 40, 60 and 670 bytes: 770 free of 1000, three used blocks.
private let heap = HeapLayout(
  extentByteCount: 1000, usedBlockCount: 3,
  freeRuns: [.init(offset: 100, byteCount: 40), .init(offset: 240, byteCount: 60), .init(offset: 330, byteCount: 670)])

private let full = HeapLayout(extentByteCount: 1000, usedBlockCount: 5, freeRuns: [])

private let pieces = HeapLayout(
  extentByteCount: 800, usedBlockCount: 4,
  freeRuns: [
    .init(offset: 0, byteCount: 100), .init(offset: 200, byteCount: 100), .init(offset: 400, byteCount: 100),
    .init(offset: 600, byteCount: 100),
  ])

private func isClose(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) < 1e-12 }

@Suite struct FragmentationFigureTests {
  @Test func layoutSums() {
    #expect(heap.freeByteCount == 770)
    #expect(heap.usedByteCount == 230)
    #expect(heap.largestFreeByteCount == 670)
  }

  @Test func curveCountsTheRequestsThatHolesCost() {
    // S = 50: ⌊40/50⌋ + ⌊60/50⌋ + ⌊670/50⌋ = 0 + 1 + 13 of ⌊770/50⌋ = 15.
    #expect(isClose(FragmentationCurve.value(of: heap, requestByteCount: 50), 1 - 14.0 / 15))
    // S = 1: a request fits into every free byte.
    #expect(FragmentationCurve.value(of: heap, requestByteCount: 1) == 0)
    // S = 700: 770 bytes in one piece would hold one request, but no run does.
    #expect(FragmentationCurve.value(of: heap, requestByteCount: 700) == 1)
    // S = 800: not even 770 bytes in one piece would hold one.
    #expect(FragmentationCurve.value(of: heap, requestByteCount: 800) == 0)
    #expect(FragmentationCurve.value(of: full, requestByteCount: 16) == 0)
  }

  @Test func gormanIndexTellsHolesFromWant() {
    #expect(FragmentationIndex.value(of: heap, requestByteCount: 670) == -1)
    // S = 700: 1 − (1 + 770/700) / 3.
    #expect(isClose(FragmentationIndex.value(of: heap, requestByteCount: 700), 1 - 2.1 / 3))
    #expect(FragmentationIndex.value(of: heap, requestByteCount: 771) == 0)
    // Four runs of 100, S = 200: 1 − (1 + 2) / 4.
    #expect(isClose(FragmentationIndex.value(of: pieces, requestByteCount: 200), 0.25))
    #expect(FragmentationIndex.value(of: full, requestByteCount: 16) == 0)
  }

  @Test func unusableFreeSpaceIsWhatIsTooShort() {
    #expect(isClose(UnusableFreeSpace.value(of: heap, requestByteCount: 50), 40.0 / 770))
    #expect(isClose(UnusableFreeSpace.value(of: heap, requestByteCount: 61), 100.0 / 770))
    #expect(UnusableFreeSpace.value(of: heap, requestByteCount: 40) == 0)
    #expect(UnusableFreeSpace.value(of: heap, requestByteCount: 671) == 1)
    #expect(UnusableFreeSpace.value(of: full, requestByteCount: 1) == 1)
    #expect(isClose(UnusableFreeSpace.shareOfHeap(heap, requestByteCount: 61), 0.1))
    #expect(UnusableFreeSpace.shareOfHeap(full, requestByteCount: 61) == 0)
  }

  @Test func windowFillFindsTheTightestWindow() {
    // Windows of 250: [0,250) holds 40 + 10, [250,500) 50 + 170, [500,750) and [750,1000) are free.
    // S = 25: 25, 50 + 150, 250, 250 usable.
    #expect(WindowFill.fills(of: heap, windowByteCount: 250, requestByteCount: 25) == [0.1, 0.8, 1, 1])
    let fill = WindowFill(of: heap, windowByteCount: 250, requestByteCount: 25)
    #expect(fill.minimum == 0.1)
    #expect(fill.percentile1 == 0.1)
    #expect(fill.percentile5 == 0.1)
  }

  @Test func windowFillPercentilesAreNearestRank() {
    // 100 windows of 100 bytes: the first two are full, one is half free, and the others are free.
    let layout = HeapLayout(
      extentByteCount: 10_000, usedBlockCount: 1, freeRuns: [.init(offset: 250, byteCount: 9750)])
    let fill = WindowFill(of: layout, windowByteCount: 100, requestByteCount: 10)
    #expect(fill.minimum == 0)
    #expect(fill.percentile1 == 0)
    #expect(fill.percentile5 == 1)
    let third = WindowFill.fills(of: layout, windowByteCount: 100, requestByteCount: 10)[2]
    #expect(third == 0.5)
  }

  @Test func windowFillOfAHeapSmallerThanTheWindow() {
    #expect(WindowFill.fills(of: pieces, windowByteCount: 1600, requestByteCount: 100) == [0.25])
    let empty = HeapLayout(extentByteCount: 0, usedBlockCount: 0, freeRuns: [])
    #expect(WindowFill(of: empty, windowByteCount: 64, requestByteCount: 8).minimum == 0)
  }

  @Test func checkerboardGiniAndEntropy() {
    #expect(isClose(FreeRunDistribution.checkerboard(of: heap), 0.75))
    #expect(FreeRunDistribution.checkerboard(of: full) == 0)
    #expect(isClose(FreeRunDistribution.checkerboard(of: pieces), 0.8))
    // Lengths 40, 60, 670: (−2 · 40 + 0 · 60 + 2 · 670) / (3 · 770).
    #expect(isClose(FreeRunDistribution.gini(of: heap), 1260.0 / 2310))
    #expect(FreeRunDistribution.gini(of: pieces) == 0)
    #expect(FreeRunDistribution.gini(of: full) == 0)
    #expect(isClose(FreeRunDistribution.entropyBits(of: pieces), 2))
    #expect(FreeRunDistribution.entropyBits(of: full) == 0)
    let single = HeapLayout(extentByteCount: 8, usedBlockCount: 0, freeRuns: [.init(offset: 0, byteCount: 8)])
    #expect(FreeRunDistribution.entropyBits(of: single) == 0)
  }
}
