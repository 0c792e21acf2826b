import Testing

@testable import HeapBenchKit

@Suite struct FoldingTests {
  private let rows = [["row 1 ", " a1", " b1", " c1"], ["row 2 ", " a2", " b2", " c2"]]

  @Test func columnsThatDoNotFitContinueBelow() {
    // The style is never narrower than 40 columns: these are 6 + 3 × 18 wide.
    let style = TerminalStyle(columnCount: 42, hasColour: false)
    #expect(
      style.folded(rows, widths: [6, 18, 18, 18]) == ["row 1  a1 b1", "row 2  a2 b2", "", "row 1  c1", "row 2  c2"])
    #expect(style.folded(rows, widths: [6, 3, 3, 3]) == ["row 1  a1 b1 c1", "row 2  a2 b2 c2"])
  }

  @Test func aColumnThatIsTooWideHasABlockOfItsOwn() {
    let style = TerminalStyle(columnCount: 40, hasColour: false)
    #expect(style.blocks(of: [6, 50, 3, 3]) == [1..<2, 2..<4])
    #expect(style.blocks(of: [6]) == [])
  }
}
