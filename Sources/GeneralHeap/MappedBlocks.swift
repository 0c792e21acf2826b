internal import CLabMalloc
internal import Assertions
internal import MemoryRegions
internal import Synchronization

// Blocks that are mappings of their own: what is too large for arenas, and whatever the space has no room for.
//
// A table from address to size, open addressing with linear probing, finds them: its owner's pointer is all that a free
// brings. Every change of the table is published by one store: a slot's address after its size, a tombstone over an
// address, a new table's address after its content, its number of slots included. So a child of fork finds it whole
// whatever another thread was doing. What the table lists is mapped, always: a block is listed after it was mapped and
// taken out before it goes, for another may get its address.
//
// A table's first slot is none: it looks like a tombstone, and has the number of slots for a size.

/// A slot of the table.
private struct MappedSlot {
  /// The block's address, `free` or `removed`.
  var address: UInt
  /// The mapping's size in bytes, a multiple of 4 KiB.
  var byteCount: UInt

  static var free: UInt { 0 }
  static var removed: UInt { 1 }
}

/// The process heap's stand-alone mappings. Every function takes the lock.
enum MappedBlocks {
  private static var state: ProcessState { ProcessState() }

  /// A new block of at least `byteCount` zero bytes, 0 when there is no memory.
  static func allocate(byteCount: UInt, alignment: UInt) -> UInt {
    // A mapping has a page at least, also for a request of no bytes.
    let rounded = (max(byteCount, 1) &+ 4095) & ~4095
    guard rounded >= byteCount, rounded < UInt(Int.max) else { return 0 }
    guard ProcessHeap.processSpace.charge(byteCount: rounded) else { return 0 }
    let mapped = try? SystemPages.map(byteCount: rounded, alignment: max(alignment, SystemPages.byteCount))
    guard let address = mapped else {
      ProcessHeap.processSpace.refund(byteCount: rounded)
      return 0
    }
    guard insert(address, rounded) else {
      try? SystemPages.unmap(address, byteCount: rounded)
      ProcessHeap.processSpace.refund(byteCount: rounded)
      return 0
    }
    return address
  }

  /// Takes a block back; ends the process for an address that is none.
  static func deallocate(_ address: UInt) {
    guard HeapLock.acquire(at: state.mappedLock) else { return }
    let slot = find(address)
    if slot == 0 {
      HeapLock.release(at: state.mappedLock)
      fail("free of a pointer that heaplab did not give out", UInt64(address))
    }
    let byteCount = record(slot).byteCount
    remove(slot)
    HeapLock.release(at: state.mappedLock)
    try? SystemPages.unmap(address, byteCount: byteCount)
    ProcessHeap.processSpace.refund(byteCount: byteCount)
  }

  /// A block's size in bytes, 0 for an address that is none.
  static func byteCount(of address: UInt) -> UInt {
    guard HeapLock.acquire(at: state.mappedLock) else { return 0 }
    defer { HeapLock.release(at: state.mappedLock) }
    let slot = find(address)
    return slot == 0 ? 0 : record(slot).byteCount
  }

  /// Makes a block hold `byteCount` bytes, moving its pages, not its bytes; 0 when there is no memory.
  static func resize(_ address: UInt, byteCount: UInt) -> UInt {
    let rounded = (byteCount &+ 4095) & ~4095
    guard rounded >= byteCount, rounded < UInt(Int.max) else { return 0 }
    guard HeapLock.acquire(at: state.mappedLock) else { return 0 }
    defer { HeapLock.release(at: state.mappedLock) }
    // A block that moves needs a slot more, and cannot do without it afterwards.
    guard makeRoom() else { return 0 }
    let slot = find(address)
    guard slot != 0 else { return 0 }
    let old = record(slot).byteCount
    if old == rounded { return address }
    let more = rounded - min(old, rounded)
    guard ProcessHeap.processSpace.charge(byteCount: more) else { return 0 }
    remove(slot)
    guard let moved = try? SystemPages.resize(address, byteCount: old, to: rounded) else {
      putBack(slot, address, old)
      ProcessHeap.processSpace.refund(byteCount: more)
      return 0
    }
    if rounded < old { ProcessHeap.processSpace.refund(byteCount: old - rounded) }
    if moved == address { putBack(slot, address, rounded) } else { add(moved, rounded) }
    return moved
  }

  // MARK: - The table

  private static func record(_ slot: UInt) -> MappedSlot {
    // SAFETY: slots come from `find`, which stays inside the table.
    unsafe UnsafePointer<MappedSlot>(bitPattern: slot).unsafelyUnwrapped.pointee
  }

  /// Publishes a slot's address, after its size.
  private static func write(_ slot: UInt, address: UInt) {
    // SAFETY: as above; the address is the slot's first word. Release, so that a child of fork, which is no reader that
    // could acquire, does not find the address without the size.
    unsafe UnsafePointer<Atomic<UInt>>(bitPattern: slot).unsafelyUnwrapped.pointee.store(address, ordering: .releasing)
  }

  private static func write(_ slot: UInt, byteCount: UInt) {
    // SAFETY: as above.
    unsafe UnsafeMutablePointer<MappedSlot>(bitPattern: slot).unsafelyUnwrapped.pointee.byteCount = byteCount
  }

  /// How many slots a table has, a power of two; 0 for no table.
  private static func slotCount(of table: UInt) -> UInt { table == 0 ? 0 : record(table).byteCount }

  /// Where the search for `address` begins.
  private static func firstIndex(_ address: UInt, _ slotCount: UInt) -> UInt {
    (address >> 12 &* 0x9E37_79B9_7F4A_7C15) >> 20 & (slotCount - 1)
  }

  /// The slot of `address`, 0 when it has none.
  private static func find(_ address: UInt) -> UInt {
    let table = state.mappedTable
    guard table != 0, address & 4095 == 0, address != 0 else { return 0 }
    let slotCount = slotCount(of: table)
    var index = firstIndex(address, slotCount)
    while true {
      let slot = table + index * 16
      let found = record(slot).address
      if found == address { return slot }
      if found == MappedSlot.free { return 0 }
      index = (index + 1) & (slotCount - 1)
    }
  }

  private static func insert(_ address: UInt, _ byteCount: UInt) -> Bool {
    guard HeapLock.acquire(at: state.mappedLock) else { return false }
    defer { HeapLock.release(at: state.mappedLock) }
    guard makeRoom() else { return false }
    add(address, byteCount)
    return true
  }

  /// Whether there is a slot for one more block. `mappedCount` counts tombstones too: at half full, the live ones move to
  /// a new table.
  private static func makeRoom() -> Bool {
    (state.fields.mappedCount + 1) * 2 <= slotCount(of: state.mappedTable) || rebuild()
  }

  /// Gives a block a slot, for which there is room.
  private static func add(_ address: UInt, _ byteCount: UInt) {
    state.fields.mappedCount += 1
    state.fields.mappedLiveCount += 1
    state.fields.mappedByteCount += byteCount
    place(address, byteCount, table: state.mappedTable)
  }

  /// Takes the block of a slot out of the table.
  private static func remove(_ slot: UInt) {
    state.fields.mappedLiveCount -= 1
    state.fields.mappedByteCount -= record(slot).byteCount
    write(slot, address: MappedSlot.removed)
  }

  /// Gives the block that was in a slot the same slot again.
  private static func putBack(_ slot: UInt, _ address: UInt, _ byteCount: UInt) {
    state.fields.mappedLiveCount += 1
    state.fields.mappedByteCount += byteCount
    write(slot, byteCount: byteCount)
    write(slot, address: address)
  }

  private static func place(_ address: UInt, _ byteCount: UInt, table: UInt) {
    let slotCount = slotCount(of: table)
    var index = firstIndex(address, slotCount)
    while record(table + index * 16).address != MappedSlot.free { index = (index + 1) & (slotCount - 1) }
    write(table + index * 16, byteCount: byteCount)
    write(table + index * 16, address: address)
  }

  /// Moves the live slots to a new table of four times as many slots as there are of them, at least 256.
  private static func rebuild() -> Bool {
    let oldTable = state.mappedTable
    let oldSlotCount = slotCount(of: oldTable)
    var liveCount: UInt = 0
    for index in 0..<oldSlotCount where record(oldTable + index * 16).address > MappedSlot.removed { liveCount += 1 }
    var slotCount: UInt = 256
    while slotCount < liveCount * 4 { slotCount *= 2 }
    guard let table = try? SystemPages.map(byteCount: slotCount * 16) else { return false }
    write(table, byteCount: slotCount)
    write(table, address: MappedSlot.removed)
    for index in 0..<oldSlotCount {
      let slot = record(oldTable + index * 16)
      if slot.address > MappedSlot.removed {
        place(slot.address, slot.byteCount, table: table)
      }
    }
    state.mappedTable = table
    state.fields.mappedCount = liveCount + 1
    if oldTable != 0 { try? SystemPages.unmap(oldTable, byteCount: oldSlotCount * 16) }
    return true
  }
}
