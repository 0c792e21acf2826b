import Addresses
import PageTables

extension PageTableModel {
  /// Clears a page's marks, which any processor sets again when it writes.
  mutating func clearMarks(_ bytes: inout OperationBytes) throws -> Bool {
    let page = Self.page(place(&bytes), size(&bytes))
    let at = UInt64(page.start.raw) & (Self.spaceByteCount - 1)
    let wasWritten = isWritten(at..<at + page.size.byteCount)
    do {
      _ = try table.clearAccessed(page).flush(using: &tlb)
      let change = try table.clearDirty(page)
      let wasSet = change.wasSet
      caches.written = caches.written.filter { !(at..<at + page.size.byteCount).contains($0.key) }
      _ = change.flush(using: &tlb)
      try check(wasSet || !wasWritten, "\(page) had lost its dirty mark")
    } catch is TranslationError {
      try check(leaves[at]?.size != page.size, "clearing marks of \(page)")
      return false
    }
    return true
  }

  /// Whether a processor has written to a page in a range of translated bits.
  func isWritten(_ range: Range<UInt64>) -> Bool { caches.written.keys.contains { range.contains($0) } }
}
