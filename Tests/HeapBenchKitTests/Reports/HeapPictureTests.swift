import Testing

@testable import HeapBenchKit

@Suite struct HeapPictureTests {
  /// Bytes 0–100 are used, 100–200 free, 200–250 used and 250–400 free.
  private let layout = HeapLayout(
    extentByteCount: 400, usedBlockCount: 2,
    freeRuns: [.init(offset: 100, byteCount: 100), .init(offset: 250, byteCount: 150)])

  @Test func cellsHaveTheirShareInUse() {
    let picture = HeapPicture(of: layout, cellCount: 4)
    #expect(picture.cellByteCount == 100)
    #expect([UInt8](picture.cells) == [255, 0, 128, 0])
  }

  @Test func aSingleUsedByteShows() {
    let layout = HeapLayout(
      extentByteCount: 100_001, usedBlockCount: 1, freeRuns: [.init(offset: 1, byteCount: 100_000)])
    #expect([UInt8](HeapPicture(of: layout, cellCount: 1).cells) == [1])
  }

  @Test func theTerminalsPictureFitsItsWidth() {
    let text = HeapPicture(of: layout, cellCount: 400).text(style: TerminalStyle(columnCount: 80, hasColour: false))
    for line in text.split(separator: "\n") { #expect(line.count <= 80 || line.contains("each cell")) }
    #expect(text.contains("█"))
    #expect(text.contains("·"))
  }

  @Test func anEmptyHeapHasAnEmptyPicture() {
    let layout = HeapLayout(extentByteCount: 0, usedBlockCount: 0, freeRuns: [])
    #expect(HeapPicture(of: layout, cellCount: 10).cells.isEmpty)
  }
}
