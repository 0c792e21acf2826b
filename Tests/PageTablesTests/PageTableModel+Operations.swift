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
    case 0...6: (name, succeeded) = ("map page", try mapPage(&bytes, isStarved))
    case 7: (name, succeeded) = ("clear marks", try clearMarks(&bytes))
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
    caches.observe()
    caches.checkMarks(table)
    if let finding = caches.findings.first { throw Mismatch(description: "\(name): \(finding)") }
    if isStarved, !succeeded {
      try check(frames.snapshot() == before, "\(name) failed and changed tables or frames")
    }
    if compares { try compare(after: name) }
  }

  mutating func mapPage(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let page = Self.page(place(&bytes), size(&bytes))
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    let range = at..<at + page.size.byteCount
    let frame = Page(containing: PhysAddr(self.frame(for: range, &bytes)), size: page.size)
    let attributes = attributes(&bytes)
    let isFree = leaves(in: range).isEmpty
    do {
      // Nothing was mapped there: no flush is needed but those of empty tables, which the call makes.
      try table.map(page, to: frame, attributes, &frames, &tlb).ignore()
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
    let isDirty: Bool
    do {
      let unmapped = try table.unmap(page)
      isDirty = unmapped.isDirty
      frame = unmapped.flush(using: &tlb)
    } catch {
      let isLarger = found.contains { $0.value.size > page.size }
      try check(error == (isLarger ? .hugePage : .notMapped), "unmapping \(page): \(error)")
      try check(leaves[at]?.size != page.size, "unmapping \(page) failed")
      return false
    }
    try check(isDirty || !isWritten(at..<at + page.size.byteCount), "unmapping \(page) lost its dirty mark")
    let leaf = leaves.removeValue(forKey: at)
    try check(leaf?.size == page.size && leaf?.frame == frame.start.raw && frame.size == page.size, "unmapping \(page)")
    return true
  }

  mutating func updatePage(_ bytes: inout OperationBytes) throws -> Bool {
    let page = Self.page(place(&bytes), size(&bytes))
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    let permissions = permissions(&bytes)
    do {
      try table.updatePermissions(page, permissions).flush(using: &tlb)
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
    let start = frame(for: range, &bytes)
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
    var given: [UInt64: Translation<Format>] = [:]
    do {
      try table.unmap(addresses(range), &frames, &tlb) { given[$0.physical.raw] = $0 }.flush(using: &tlb)
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
      try check(given[leaf.frame]?.size == leaf.size, "the frame at \(hexadecimal(at)) was not given out")
      let isDirty = given[leaf.frame]?.isDirty ?? false
      try check(
        isDirty || !isWritten(at..<at + leaf.size.byteCount), "unmapping \(hexadecimal(at)) lost its dirty mark")
      leaves[at] = nil
    }
    return true
  }

  mutating func protectRange(_ bytes: inout OperationBytes, _ isStarved: Bool) throws -> Bool {
    let range = range(&bytes)
    let permissions = permissions(&bytes)
    do {
      try table.protect(addresses(range), permissions, &frames, &tlb).flush(using: &tlb)
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

  func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
}
