/// The live objects of one population that one thread allocated, in the order in which they will die.
struct LivePopulation {
  /// A live object and its place in the order.
  struct Entry {
    /// The lower the key, the sooner the object dies.
    let deathKey: UInt64
    let object: UInt32
    var byteCount: UInt64

    /// Whether this object dies before `other`. The order is total, since no two objects have the same number.
    func precedes(_ other: Entry) -> Bool { (deathKey, object) < (other.deathKey, other.object) }
  }

  /// A binary heap: the entries 2 i + 1 and 2 i + 2 die after entry i.
  private var entries: ContiguousArray<Entry> = []

  /// The bytes of the live objects.
  private(set) var byteCount: UInt64 = 0

  /// The number of allocations so far, which is the population's clock.
  private(set) var clock: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  /// Adds an object.
  ///
  /// - Complexity: O(log n)
  mutating func insert(_ entry: Entry) {
    clock += 1
    byteCount += entry.byteCount
    entries.append(entry)
    var index = entries.count - 1
    while index > 0, entries[index].precedes(entries[(index - 1) / 2]) {
      entries.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  /// Removes the object that dies first. Traps when there is none.
  ///
  /// - Complexity: O(log n)
  mutating func removeFirst() -> Entry {
    let first = entries[0]
    byteCount -= first.byteCount
    let last = entries.removeLast()
    guard !entries.isEmpty else { return first }
    entries[0] = last
    var index = 0
    while 2 * index + 1 < entries.count {
      var child = 2 * index + 1
      if child + 1 < entries.count, entries[child + 1].precedes(entries[child]) { child += 1 }
      guard entries[child].precedes(entries[index]) else { break }
      entries.swapAt(child, index)
      index = child
    }
    return first
  }

  /// The object at `index`, in an arbitrary order, for a random choice.
  subscript(index: Int) -> Entry { entries[index] }

  /// Sets the size of the object at `index`.
  mutating func resize(at index: Int, to byteCount: UInt64) {
    self.byteCount += byteCount
    self.byteCount -= entries[index].byteCount
    entries[index].byteCount = byteCount
  }
}
