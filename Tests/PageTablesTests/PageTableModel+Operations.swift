import Addresses
import PageTables

// The model's operations.

extension PageTableModel {
  /// Runs one operation and, if `compares`, compares all mappings afterwards.
  mutating func step(_ bytes: inout OperationBytes, compares: Bool = true) throws {
    let operation = bytes.next()
    // One operation in eight runs with few frames, and must leave no trace when it fails.
    let isStarved = operation & 0xE0 == 0xE0
    let before = isStarved ? frames.snapshot() : [:]
    frames.allocationsLeft = isStarved ? bytes.next() % 4 : nil
    var name = ""
    let succeeded: Bool
    switch operation & 0x1F {
    case 0...7: (name, succeeded) = ("map page", try mapPage(&bytes, isStarved))
    case 8...10: (name, succeeded) = ("unmap page", try unmapPage(&bytes))
    case 11...12: (name, succeeded) = ("update permissions", try updatePage(&bytes))
    case 13...18: (name, succeeded) = ("map range", try mapRange(&bytes, isStarved))
    case 19...22: (name, succeeded) = ("unmap range", try unmapRange(&bytes, isStarved))
    case 23...26: (name, succeeded) = ("protect range", try protectRange(&bytes, isStarved))
    case 27...28: (name, succeeded) = ("split", try splitPage(&bytes, isStarved))
    case 29...30: (name, succeeded) = ("join", try join(&bytes))
    default: (name, succeeded) = ("clean up", try cleanUp(&bytes))
    }
    frames.allocationsLeft = nil
    if isStarved, !succeeded {
      try check(frames.snapshot() == before, "\(name) failed and changed tables or frames")
    }
    if compares { try compare(after: name) }
  }

  mutating func mapPage(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let page = Self.page(place(&bytes), size(&bytes))
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    let frame = Page(containing: PhysAddr(self.frame(for: at, &bytes)), size: page.size)
    let attributes = attributes(&bytes)
    let isFree = leaves(in: at..<at + page.size.byteCount).isEmpty
    do {
      try table.map(page, to: frame, attributes, &frames).ignore()
    } catch {
      // A table that the root's kernel half refers to is never replaced, even when it is empty.
      let isKept = Format.levelCount == 3 && page.size == .size1GiB && at >= Self.spaceByteCount / 2
      let isExpected =
        error == .alreadyMapped && (!isFree || isKept) || error == .frameAllocationFailed && isStarved && isFree
      try check(isExpected, "mapping \(page): \(error)")
      return false
    }
    try check(isFree, "\(page) was mapped over a mapping")
    leaves[at] = Leaf(size: page.size, frame: frame.start.raw, attributes: attributes)
    return true
  }

  mutating func unmapPage(_ bytes: inout OperationBytes) throws -> Bool {
    let page = Self.page(place(&bytes), size(&bytes))
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    let found = leaves(in: at..<at + page.size.byteCount)
    let frame: Page<PhysAddr>
    do {
      frame = try table.unmap(page).ignore()
    } catch {
      let isLarger = found.contains { $0.value.size > page.size }
      try check(error == (isLarger ? .hugePage : .notMapped), "unmapping \(page): \(error)")
      try check(leaves[at]?.size != page.size, "unmapping \(page) failed")
      return false
    }
    let leaf = leaves.removeValue(forKey: at)
    try check(leaf?.size == page.size && leaf?.frame == frame.start.raw && frame.size == page.size, "unmapping \(page)")
    return true
  }

  mutating func updatePage(_ bytes: inout OperationBytes) throws -> Bool {
    let page = Self.page(place(&bytes), size(&bytes))
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    let permissions = permissions(&bytes)
    do {
      try table.updatePermissions(page, permissions).ignore()
    } catch {
      let larger = leaves(in: at..<at + page.size.byteCount).first { $0.value.size > page.size }
      try check(
        error == (larger.map { .unsupportedPageSize($0.value.size) } ?? .notMapped), "updating \(page): \(error)")
      try check(leaves[at]?.size != page.size, "updating \(page) failed")
      return false
    }
    try check(leaves[at]?.size == page.size, "permissions of \(page) changed")
    leaves[at]?.attributes.permissions = permissions
    return true
  }

  mutating func mapRange(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let range = range(&bytes)
    let start = frame(for: range.lowerBound, &bytes)
    let attributes = attributes(&bytes)
    let isFree = range.isEmpty || leaves(in: range).isEmpty
    do {
      try table.map(addresses(range), to: PhysAddr(start), attributes, &frames).ignore()
    } catch {
      let isExpected =
        error.cause == .alreadyMapped && !isFree || error.cause == .frameAllocationFailed && isStarved && isFree
      try check(isExpected, "mapping \(range): \(error)")
      return false
    }
    try check(isFree, "\(range) was mapped over a mapping")
    // The dictionary takes the page sizes from the tables, and checks that the pages tile the range.
    var at = range.lowerBound
    while at < range.upperBound {
      let size = try table.translate(Format.address(at)).size
      try check(at % size.byteCount == 0 && at + size.byteCount <= range.upperBound, "page size at \(hexadecimal(at))")
      leaves[at] = Leaf(size: size, frame: start + (at - range.lowerBound), attributes: attributes)
      at += size.byteCount
    }
    return true
  }

  mutating func unmapRange(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let range = range(&bytes)
    var given: [UInt64: PageSize] = [:]
    do {
      try table.unmap(addresses(range), &frames) { given[$0.start.raw] = $0.size }.ignore()
    } catch {
      try check(error.cause == .hugePage && isStarved, "unmapping \(range): \(error)")
      return false
    }
    table.deallocateRetiredTables(&frames)
    if range.isEmpty { return true }
    splitLeaf(at: range.lowerBound)
    splitLeaf(at: range.upperBound)
    let end = seedsBug ? range.upperBound - Format.granule.byteCount : range.upperBound
    for (at, leaf) in leaves(in: range) where at < end {
      try check(given[leaf.frame] == leaf.size, "the frame at \(hexadecimal(at)) was not given out")
      leaves[at] = nil
    }
    return true
  }

  mutating func protectRange(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let range = range(&bytes)
    let permissions = permissions(&bytes)
    do {
      try table.protect(addresses(range), permissions, &frames).ignore()
    } catch {
      try check(error.cause == .frameAllocationFailed && isStarved, "protecting \(range): \(error)")
      return false
    }
    if range.isEmpty { return true }
    splitLeaf(at: range.lowerBound) { $0.attributes.permissions == permissions }
    splitLeaf(at: range.upperBound) { $0.attributes.permissions == permissions }
    for (at, _) in leaves(in: range) {
      leaves[at]?.attributes.permissions = permissions
    }
    return true
  }

  mutating func splitPage(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let page = Self.page(place(&bytes), bytes.next() % 2 == 0 ? Format.pageSize(level: 1) : Format.largestPage)
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    do {
      try table.split(page, &frames).ignore()
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
    try table.join(addresses(range)).ignore()
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
    try table.cleanUp(addresses(range(&bytes))).ignore()
    table.deallocateRetiredTables(&frames)
    return true
  }

  func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
