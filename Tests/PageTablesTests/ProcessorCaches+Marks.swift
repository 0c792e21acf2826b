import Addresses
import PageTables

// Marks: a processor that has a leaf cached writes to the page, and sets the marks in the leaf's entry. It finds the
// entry by the cached table entries, be the table still linked or not.

extension ProcessorCaches {
  /// Writes to pages of cached writable leaves in a range: to the first and the last, and to some in between.
  func write(in range: Range<UInt64>) {
    let places = leaves.keys.filter { $0.overlaps(range) }.sorted { $0.start < $1.start }
    for (number, place) in places.enumerated() where number % 61 == 0 || number == places.count - 1 {
      write(to: place)
    }
  }

  /// Writes to the first page of a cached leaf, unless its entry has changed to forbid that.
  private func write(to place: Place) {
    guard let leaf = leaves[place] else { return }
    let entry = word(leaf.location)
    let kind = Format.kind(of: PageTableEntry(entry), level: place.level)
    guard kind == .leaf, rules.isWritable(entry), rules.isWritable(leaf.bits),
      Format.address(in: PageTableEntry(entry)) == Format.address(in: PageTableEntry(leaf.bits))
    else { return }
    memory.storeBytes(of: rules.written(entry), toByteOffset: Int(leaf.location), as: UInt64.self)
    written[place.start] = leaf.physical
  }

  /// Reports each written page that is still mapped to its frame and not dirty, and forgets those that are not mapped.
  func checkMarks(_ table: borrowing PageTable<Format, OffsetPhysMapper>) {
    for (page, frame) in written {
      guard let found = try? table.translate(Format.address(page)), found.physical.raw == frame else {
        written[page] = nil
        continue
      }
      if !found.isDirty { report("page at 0x\(String(page, radix: 16)): its dirty mark is lost") }
    }
  }
}
