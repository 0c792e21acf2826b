import Addresses
import PageTables

extension RandomTables {
  /// Does `count` random operations; the history does not record those that the tables refuse.
  mutating func change(count: Int) {
    for _ in 0..<count {
      switch Int.random(in: 0..<20, using: &random) {
      case 0...7: mapPage()
      case 8...9: unmapPage()
      case 10...11: protectPage()
      default: changeRange()
      }
    }
  }

  private mutating func randomSize() -> PageSize {
    let (small, large) = (Format.granule, Format.pageSize(level: 1))
    return [small, small, small, large, large, Format.largestPage].randomElement(using: &random) ?? small
  }

  private mutating func mapPage() {
    guard let page = randomPage(of: randomSize()) else { return }
    let frame = plan.randomFrame(of: page.size, using: &random)
    let permissions = randomPermissions()
    do {
      try table.map(page, to: frame, randomAttributes(permissions), &frames, &tlb).ignore()
      record(map: page.start, byteCount: page.size.byteCount, to: frame.start, permissions)
    } catch {}
  }

  private mutating func unmapPage() {
    guard let page = randomPage(of: randomSize()) else { return }
    do {
      _ = try table.unmap(page).ignore()
      record(unmap: page.start, byteCount: page.size.byteCount)
    } catch {}
  }

  private mutating func protectPage() {
    guard let page = randomPage(of: randomSize()) else { return }
    let permissions = randomPermissions()
    do {
      try table.updatePermissions(page, permissions).ignore()
      record(protect: page.start, byteCount: page.size.byteCount, permissions)
    } catch {}
  }
}
