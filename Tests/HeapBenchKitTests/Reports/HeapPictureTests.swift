import Testing

@testable import HeapBenchKit

@Suite struct HeapPictureTests {
  /// Bytes 0–100 are used, 100–200 free, 200–250 used and 250–400 free.
  private let layout = HeapLayout(
    extentByteCount: 400, usedBlockCount: 2,
    freeRuns: [.init(offset: 100, byteCount: 100), .init(offset: 250, byteCount: 150)])

  /// What its two blocks were asked for.
  private let requests: [(offset: UInt64, byteCount: UInt64)] = [(0, 60), (200, 50)]

  @Test func cellsHaveTheirShareInUse() {
    let picture = HeapPicture(of: layout, requests: requests, cellCount: 4)
    #expect(picture.cellByteCount == 100)
    #expect([UInt8](picture.cells) == [255, 0, 128, 0])
    #expect([UInt8](picture.waste) == [102, 0, 0, 0], "40 bytes of the first block were not asked for")
  }

  @Test func aSingleUsedByteShows() {
    let layout = HeapLayout(
      extentByteCount: 100_001, usedBlockCount: 1, freeRuns: [.init(offset: 1, byteCount: 100_000)])
    #expect([UInt8](HeapPicture(of: layout, requests: [], cellCount: 1).cells) == [1])
  }

  @Test func theTerminalsPictureFitsItsWidth() {
    let text = HeapPicture(of: layout, requests: [], cellCount: 400).text(
      style: TerminalStyle(columnCount: 80, hasColour: false))
    for line in text.split(separator: "\n") { #expect(line.count <= 80 || line.contains("each cell")) }
    #expect(text.contains("█"))
    #expect(text.contains("·"))
  }

  @Test func anEmptyHeapHasAnEmptyPicture() {
    let layout = HeapLayout(extentByteCount: 0, usedBlockCount: 0, freeRuns: [])
    #expect(HeapPicture(of: layout, requests: [], cellCount: 10).cells.isEmpty)
  }

  @Test func cellsOfAnotherSizeAreAverages() {
    let picture = HeapPicture(of: layout, requests: requests, cellCount: 4)
    let halves = picture.shares(inCellsOf: 200)
    #expect(halves.map { ($0.used * 100).rounded() } == [50, 25])
    #expect(halves.map { ($0.waste * 100).rounded() } == [20, 0])
    let rest = picture.shares(inCellsOf: 300)
    #expect(rest.count == 2 && rest[1].used == 0, "the last cell has the bytes that are left")
    #expect(picture.shares(inCellsOf: 50).map { ($0.used * 2).rounded() } == [2, 2, 0, 0, 1, 1, 0, 0])
  }
}
