import Addresses
import PageTables

// Operations that change the sizes of pages, or the tables alone.

extension PageTableModel {
  mutating func splitPage(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let page = Self.page(place(&bytes), bytes.next() % 2 == 0 ? Format.pageSize(level: 1) : Format.largestPage)
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    do {
      try table.split(page, &frames, &tlb)
    } catch {
      let stands = leaves[at]?.size == page.size
      try check(error == .frameAllocationFailed && isStarved || !stands, "splitting \(page): \(error)")
      return false
    }
    guard let leaf = leaves[at], leaf.size == page.size else { throw Mismatch(description: "\(page) was split") }
    split(at, leaf)
    return true
  }

  mutating func join(_ bytes: inout OperationBytes) throws -> Bool {
    let range = range(&bytes)
    try table.join(addresses(range), &tlb)
    table.deallocateRetiredTables(&frames)
    for size in [Format.pageSize(level: 1), Format.largestPage] {
      var at = (range.lowerBound + size.byteCount - 1) / size.byteCount * size.byteCount
      while at + size.byteCount <= range.upperBound {
        joinLeaves(at, size)
        at += size.byteCount
      }
    }
    return true
  }

  mutating func joinLeaves(_ at: UInt64, _ size: PageSize) {
    guard let smaller = size.smaller, let first = leaves[at], first.size == smaller,
      first.frame % size.byteCount == 0
    else { return }
    for part in 0..<UInt64(Format.entryCount) {
      let offset = part * smaller.byteCount
      let wanted = Leaf(size: smaller, frame: first.frame + offset, attributes: first.attributes)
      if leaves[at + offset] != wanted { return }
    }
    for part in 0..<UInt64(Format.entryCount) {
      leaves[at + part * smaller.byteCount] = nil
    }
    leaves[at] = Leaf(size: size, frame: first.frame, attributes: first.attributes)
  }

  mutating func cleanUp(_ bytes: inout OperationBytes) throws -> Bool {
    try table.cleanUp(addresses(range(&bytes))).flush(using: &tlb)
    table.deallocateRetiredTables(&frames)
    return true
  }
}
