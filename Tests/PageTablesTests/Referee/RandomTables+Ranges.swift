import Addresses
import PageTables

// Operations on ranges. A range is a few small pages, some megabytes or more than a gigabyte long. Its frames often
// have its alignment, which lets operations choose, split and join large pages.

extension RandomTables {
  /// Does one random operation on a range.
  mutating func changeRange() {
    switch Int.random(in: 0..<10, using: &random) {
    case 0...2: mapRange()
    case 3...4: unmapRange()
    case 5...6: protectRange()
    case 7: splitPage()
    case 8: joinRange()
    default: cleanUpRange()
    }
    // No judge has the tables loaded, so the changes count as flushed.
    table.deallocateRetiredTables(&frames)
  }

  private mutating func randomRange(longest: UInt64 = 1200 << 20) -> AddrRange<VirtAddr>? {
    let (small, large) = (Format.granule, Format.pageSize(level: 1))
    guard let page = randomPage(of: [small, large].randomElement(using: &random) ?? small) else { return nil }
    let limits: [UInt64] = [16 * small.byteCount, 5 << 20, longest]
    let limit = limits.randomElement(using: &random) ?? 1 << 20
    let byteCount = UInt64.random(in: 1...limit, using: &random) & ~(small.byteCount - 1)
    guard let end = page.start.checkedAdd(UInt(byteCount)), byteCount > 0, isUsable(UInt64(end.raw) - 1) else {
      return nil
    }
    return AddrRange(start: page.start, end: end)
  }

  private mutating func mapRange() {
    // Large pages can map the range only if its frames have the same offset from a multiple of a large page. Other
    // ranges need a table for every 2 MiB, so they are short.
    let (small, large) = (Format.granule, Format.pageSize(level: 1))
    let size = [small, large, Format.largestPage].randomElement(using: &random) ?? small
    let largest = size == small ? small : Format.largestPage
    guard let range = randomRange(longest: size == small ? 5 << 20 : 1200 << 20) else { return }
    let distance = UInt64(range.start.raw) & (size.byteCount - 1)
    let room = plan.huge.byteCount - UInt64(range.byteCount) - distance
    let offset = UInt64.random(in: 0..<room, using: &random) & ~(size.byteCount - 1)
    let frame = plan.huge.start + (offset + distance)
    let permissions = randomPermissions()
    do {
      try table.map(range, to: frame, randomAttributes(permissions), largest: largest, &frames).ignore()
      record(map: range.start, byteCount: UInt64(range.byteCount), to: frame, permissions)
    } catch {}
  }

  private mutating func unmapRange() {
    guard let range = randomRange() else { return }
    do {
      try table.unmap(range, &frames, &tlb) { _ in }.ignore()
      record(unmap: range.start, byteCount: UInt64(range.byteCount))
    } catch {}
  }

  private mutating func protectRange() {
    guard let range = randomRange() else { return }
    let permissions = randomPermissions()
    do {
      try table.protect(range, permissions, &frames, &tlb).ignore()
      record(protect: range.start, byteCount: UInt64(range.byteCount), permissions)
    } catch {}
  }

  private mutating func splitPage() {
    let isLargest = Bool.random(using: &random)
    guard let page = randomPage(of: isLargest ? Format.largestPage : Format.pageSize(level: 1)) else { return }
    do { try table.split(page, &frames, &tlb) } catch {}
  }

  /// Joining and cleaning up must not change anything that an access could observe.
  private mutating func joinRange() {
    guard let range = randomWholePages() else { return }
    do { try table.join(range, &tlb) } catch {}
  }

  private mutating func cleanUpRange() {
    guard let range = randomWholePages() else { return }
    do { try table.cleanUp(range).ignore() } catch {}
  }

  private mutating func randomWholePages() -> AddrRange<VirtAddr>? {
    guard let range = randomRange(), range.end.checkedAlignedUp(to: 1 << 30) != nil else { return nil }
    let size = Bool.random(using: &random) ? Format.pageSize(level: 1) : Format.largestPage
    return range.alignedOutward(to: UInt(size.byteCount))
  }
}
