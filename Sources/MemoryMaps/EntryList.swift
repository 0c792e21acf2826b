import Addresses

/// Entries of a map in memory that the caller gave: a count, and that many entries in address order.
///
/// A handle: copies share the entries, but not the count.
struct EntryList {
  private let start: UInt
  let capacity: Int
  private(set) var count = 0

  /// No entries, in memory that has room for `capacity` of them.
  init(at start: VirtAddr, capacity: Int) {
    self.start = start.raw
    self.capacity = capacity
  }

  /// How many bytes an entry takes.
  static var entryByteCount: UInt { UInt(MemoryLayout<MemoryMap.Entry>.stride) }

  /// The entry at an index below the capacity, which the caller has checked.
  subscript(index: Int) -> MemoryMap.Entry {
    // SAFETY: the caller has checked the index, and an entry was stored there before one is read.
    get { unsafe pointer(at: index).pointee }
    nonmutating set { unsafe pointer(at: index).initialize(to: newValue) }
  }

  private func pointer(at index: Int) -> UnsafeMutablePointer<MemoryMap.Entry> {
    // SAFETY: the memory is not at address 0 and has room for `capacity` entries; they are plain values.
    unsafe UnsafeMutablePointer(bitPattern: start &+ UInt(bitPattern: index) &* EntryList.entryByteCount)
      .unsafelyUnwrapped
  }

  /// Removes all entries.
  mutating func removeAll() { count = 0 }

  /// Appends a range with these attributes, or extends the last entry if the range continues it. Empty ranges and
  /// ranges without attributes add nothing.
  mutating func append(_ start: PhysAddr, _ end: PhysAddr, _ attributes: MemoryAttributes?) throws(MemoryMapError) {
    guard start < end, let attributes else { return }
    if count > 0 {
      let last = self[count - 1]
      if last.range.end == start, last.attributes == attributes {
        self[count - 1] = MemoryMap.Entry(AddrRange(start: last.range.start, end: end), attributes)
        return
      }
    }
    guard count < capacity else { throw .full(capacity: capacity) }
    self[count] = MemoryMap.Entry(AddrRange(start: start, end: end), attributes)
    count += 1
  }

  /// Appends an entry as it is.
  mutating func append(_ entry: MemoryMap.Entry) throws(MemoryMapError) {
    try append(entry.range.start, entry.range.end, entry.attributes)
  }
}

/// What a map says of a byte.
struct MemoryAttributes: Equatable {
  var kind: MemoryKind
  var node: UInt32
}

extension MemoryMap.Entry {
  init(_ range: AddrRange<PhysAddr>, _ attributes: MemoryAttributes) {
    self.init(range: range, kind: attributes.kind, node: attributes.node)
  }

  var attributes: MemoryAttributes { MemoryAttributes(kind: kind, node: node) }
}
