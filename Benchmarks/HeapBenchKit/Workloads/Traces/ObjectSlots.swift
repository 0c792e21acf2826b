// A long trace has a billion objects, of which a million are live at once. A replay keeps a slot for each live object,
// and an object takes over the slot of one that has ended: memory is bounded by the live objects.
//
// The table that leads from objects to slots is open-addressed with linear probing; a removal moves later entries back
// (Knuth, TAOCP 3, 6.4, algorithm R), so it never fills with marks.

/// The slots of a trace's live objects.
struct ObjectSlots {
  /// An entry: the object plus one, 0 for none, and its slot.
  private struct Entry {
    var key: UInt64 = 0
    var slot: UInt32 = 0
  }

  private var entries = ContiguousArray(repeating: Entry(), count: 1024)
  private var free: ContiguousArray<UInt32> = []
  private var liveCount = 0

  /// The slots that were ever in use at once.
  private(set) var slotCount = 0

  /// Gives a new object a slot; nil when there are more live objects than numbers.
  mutating func insert(_ object: UInt64) -> UInt32? {
    guard let slot = free.popLast() ?? newSlot() else { return nil }
    insert(object, slot: slot)
    return slot
  }

  /// Gives an object the slot of another, which has ended.
  mutating func insert(_ object: UInt64, slot: UInt32) {
    if (liveCount + 1) * 2 > entries.count { grow() }
    place(Entry(key: object + 1, slot: slot))
    liveCount += 1
  }

  /// Ends an object and returns its slot, which stays taken until ``release(_:)``; nil when it is not live.
  mutating func remove(_ object: UInt64) -> UInt32? {
    var index = home(of: object + 1)
    while entries[index].key != object + 1 {
      if entries[index].key == 0 { return nil }
      index = (index + 1) & (entries.count - 1)
    }
    let slot = entries[index].slot
    liveCount -= 1
    var next = (index + 1) & (entries.count - 1)
    while entries[next].key != 0 {
      let distance = (next - home(of: entries[next].key)) & (entries.count - 1)
      if distance >= (next - index) & (entries.count - 1) {
        entries[index] = entries[next]
        index = next
      }
      next = (next + 1) & (entries.count - 1)
    }
    entries[index] = Entry()
    return slot
  }

  /// Lets another object take the slot.
  mutating func release(_ slot: UInt32) { free.append(slot) }

  private mutating func newSlot() -> UInt32? {
    guard slotCount < Int(UInt32.max) else { return nil }
    slotCount += 1
    return UInt32(slotCount - 1)
  }

  private mutating func place(_ entry: Entry) {
    var index = home(of: entry.key)
    while entries[index].key != 0 { index = (index + 1) & (entries.count - 1) }
    entries[index] = entry
  }

  private mutating func grow() {
    let old = entries
    entries = ContiguousArray(repeating: Entry(), count: old.count * 2)
    for entry in old where entry.key != 0 { place(entry) }
  }

  @inline(__always) private func home(of key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 20) & (entries.count - 1)
  }
}
