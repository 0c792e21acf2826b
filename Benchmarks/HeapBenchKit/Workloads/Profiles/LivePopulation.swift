/// The live objects of one population that one thread allocated, in the order in which they are to die.
struct LivePopulation {
  /// A live object and its place in the order.
  struct Entry {
    /// The lower, the sooner it dies.
    let deathKey: UInt64
    let object: UInt32
    var byteCount: UInt64

    /// Whether this one dies before `other`; no two objects are alike, so that the order is total.
    func precedes(_ other: Entry) -> Bool { (deathKey, object) < (other.deathKey, other.object) }
  }

  /// A binary heap: 2 i + 1 and 2 i + 2 die after i.
  private var entries: ContiguousArray<Entry> = []

  /// The bytes of the live objects.
  private(set) var byteCount: UInt64 = 0

  /// The allocations so far: the population's clock.
  private(set) var clock: UInt64 = 0

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  /// An object begins; O(log n).
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

  /// The object that is to die first ends; O(log n). There must be one.
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

  /// The object at `index` of an order that means nothing, for a random choice.
  subscript(index: Int) -> Entry { entries[index] }

  /// The object at `index` has `byteCount` bytes from now on.
  mutating func resize(at index: Int, to byteCount: UInt64) {
    self.byteCount += byteCount
    self.byteCount -= entries[index].byteCount
    entries[index].byteCount = byteCount
  }
}
