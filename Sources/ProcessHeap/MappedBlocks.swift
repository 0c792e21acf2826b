internal import Assertions
internal import HeapSpaces
internal import MemoryRegions
internal import Synchronization

// Blocks that are mappings of their own: those too large for arenas, and those for which the space has no room.
//
// A table from address to size, with open addressing and linear probing, finds them: a free brings only its pointer.
// Every change of the table is published by one store: a slot's address after its size, a tombstone over an address, a
// new table's address after its content and its number of slots. A child of fork thus finds the table whole, whatever
// another thread was doing. Every block in the table is mapped: a block is inserted after it was mapped, and removed
// before it is unmapped, because another block may get its address.
//
// The first slot of a table holds no block. It looks like a tombstone, and its size is the number of slots.

/// A slot of the table.
private struct MappedSlot {
  /// The block's address, `free` or `removed`.
  var address: UInt
  /// The mapping's size in bytes, a multiple of the page.
  var byteCount: UInt

  static var free: UInt { 0 }
  static var removed: UInt { 1 }
}

/// The process heap's stand-alone mappings. Every function that others call takes the lock; the figure `byteCount`
/// needs none.
enum MappedBlocks {
  private static var state: ProcessState { ProcessState() }

  /// A new block of at least `byteCount` bytes, 0 when there is no memory. Its bytes are 0 if `zeroed`.
  static func allocate(byteCount: UInt, alignment: UInt, zeroed: Bool = false, in space: HeapSpace) -> UInt {
    // A mapping has at least one page, even for a request of 0 bytes.
    let rounded = SystemPages.rounded(max(byteCount, 1))
    guard rounded >= byteCount, rounded < UInt(Int.max), !space.isSealed else { return 0 }
    let pageAlignment = max(alignment, SystemPages.byteCount)
    let kept = takeKept(byteCount: rounded, alignment: pageAlignment, zeroed: zeroed, in: space)
    if kept != 0 { return kept }
    guard space.charge(byteCount: rounded) else { return 0 }
    guard let address = try? SystemPages.map(byteCount: rounded, alignment: pageAlignment) else {
      space.refund(byteCount: rounded)
      return 0
    }
    guard insert(address, rounded) else {
      try? SystemPages.unmap(address, byteCount: rounded)
      space.refund(byteCount: rounded)
      return 0
    }
    Placement.didMapBlock(address, byteCount: rounded)
    return address
  }

  /// Frees a block. Ends the process when no block starts at `address`.
  static func deallocate(_ address: UInt, in space: HeapSpace) {
    guard lock() else { return }
    let slot = find(address)
    if slot == 0 {
      unlock()
      fail("free of a pointer that heaplab did not give out", UInt64(address))
    }
    let byteCount = record(slot).byteCount
    remove(slot)
    unlock()
    keepOrRelease(address, byteCount: byteCount, in: space)
  }

  /// A block's size in bytes, 0 when no block starts at `address`.
  static func byteCount(of address: UInt) -> UInt {
    guard lock() else { return 0 }
    defer { unlock() }
    let slot = find(address)
    return slot == 0 ? 0 : record(slot).byteCount
  }

  /// Makes a block hold `byteCount` bytes by moving its pages, not its bytes; 0 when there is no memory.
  static func resize(_ address: UInt, byteCount: UInt, in space: HeapSpace) -> UInt {
    let block = resizeOnce(address, byteCount: byteCount, in: space)
    return block != 0 || releaseKept(in: space) == 0 ? block : resizeOnce(address, byteCount: byteCount, in: space)
  }

  private static func resizeOnce(_ address: UInt, byteCount: UInt, in space: HeapSpace) -> UInt {
    let rounded = SystemPages.rounded(byteCount)
    guard rounded >= byteCount, rounded < UInt(Int.max) else { return 0 }
    guard lock() else { return 0 }
    defer { unlock() }
    // A block that moves needs another slot, and then it is too late to fail.
    guard makeRoom() else { return 0 }
    let slot = find(address)
    guard slot != 0 else { return 0 }
    let old = record(slot).byteCount
    if old == rounded { return address }
    let more = rounded - min(old, rounded)
    guard space.charge(byteCount: more) else { return 0 }
    remove(slot)
    guard let moved = try? SystemPages.resize(address, byteCount: old, to: rounded) else {
      putBack(slot, address, old)
      space.refund(byteCount: more)
      return 0
    }
    if rounded < old { space.refund(byteCount: old - rounded) }
    if moved == address { putBack(slot, address, rounded) } else { add(moved, rounded) }
    return moved
  }

  /// The bytes of all blocks. Another thread may be changing the figure.
  static var byteCount: UInt { state.fields.mappedByteCount.load(ordering: .relaxed) }

  static func lock() -> Bool { state.fields.mappedLock.acquire(ProcessHeap.wait) }
  static func unlock() { state.fields.mappedLock.release() }
}

// The table.
extension MappedBlocks {
  private static var slotByteCount: UInt { UInt(MemoryLayout<MappedSlot>.stride) }

  /// Counts one more block.
  private static func count(_ byteCount: UInt) {
    state.fields.mappedLiveCount.wrappingAdd(1, ordering: .relaxed)
    state.fields.mappedByteCount.wrappingAdd(byteCount, ordering: .relaxed)
  }

  private static func record(_ slot: UInt) -> MappedSlot {
    // SAFETY: slots come from `find`, which stays inside the table.
    unsafe UnsafePointer<MappedSlot>(bitPattern: slot).unsafelyUnwrapped.pointee
  }

  /// Publishes a slot's address, after its size.
  private static func write(_ slot: UInt, address: UInt) {
    // SAFETY: as above; the address is the slot's first word. Release pairs with no acquire: it is for a child of fork,
    // which reads the memory that it inherited and must not find the address without the size.
    unsafe UnsafePointer<Atomic<UInt>>(bitPattern: slot).unsafelyUnwrapped.pointee.store(address, ordering: .releasing)
  }

  private static func write(_ slot: UInt, byteCount: UInt) {
    // SAFETY: as above.
    unsafe UnsafeMutablePointer<MappedSlot>(bitPattern: slot).unsafelyUnwrapped.pointee.byteCount = byteCount
  }

  /// How many slots a table has, a power of two; 0 without a table.
  private static func slotCount(of table: UInt) -> UInt { table == 0 ? 0 : record(table).byteCount }

  /// The index where the search for `address` begins.
  private static func firstIndex(_ address: UInt, _ slotCount: UInt) -> UInt {
    (address >> 12 &* 0x9E37_79B9_7F4A_7C15) >> 20 & (slotCount - 1)
  }

  /// The slot of `address`, 0 when it has none.
  private static func find(_ address: UInt) -> UInt {
    let table = state.mappedTable
    guard table != 0, SystemPages.roundedDown(address) == address, address != 0 else { return 0 }
    let slotCount = slotCount(of: table)
    var index = firstIndex(address, slotCount)
    while true {
      let slot = table + index * slotByteCount
      let found = record(slot).address
      if found == address { return slot }
      if found == MappedSlot.free { return 0 }
      index = (index + 1) & (slotCount - 1)
    }
  }

  private static func insert(_ address: UInt, _ byteCount: UInt) -> Bool {
    guard lock() else { return false }
    defer { unlock() }
    guard makeRoom() else { return false }
    add(address, byteCount)
    return true
  }

  /// Ensures that there is a slot for one more block, and returns whether there is. `mappedCount` counts tombstones
  /// too: when the table is half full, the live slots move to a new table.
  static func makeRoom() -> Bool {
    (state.fields.mappedCount + 1) * 2 <= slotCount(of: state.mappedTable) || rebuild()
  }

  /// Inserts a block; there must be room.
  static func add(_ address: UInt, _ byteCount: UInt) {
    state.fields.mappedCount += 1
    count(byteCount)
    place(address, byteCount, table: state.mappedTable)
  }

  /// Removes the block of a slot from the table.
  private static func remove(_ slot: UInt) {
    state.fields.mappedLiveCount.wrappingSubtract(1, ordering: .relaxed)
    state.fields.mappedByteCount.wrappingSubtract(record(slot).byteCount, ordering: .relaxed)
    write(slot, address: MappedSlot.removed)
  }

  /// Inserts a block again, into the slot that it had.
  private static func putBack(_ slot: UInt, _ address: UInt, _ byteCount: UInt) {
    count(byteCount)
    write(slot, byteCount: byteCount)
    write(slot, address: address)
  }

  private static func place(_ address: UInt, _ byteCount: UInt, table: UInt) {
    let slotCount = slotCount(of: table)
    var index = firstIndex(address, slotCount)
    while record(table + index * slotByteCount).address != MappedSlot.free { index = (index + 1) & (slotCount - 1) }
    write(table + index * slotByteCount, byteCount: byteCount)
    write(table + index * slotByteCount, address: address)
  }

  /// Moves the live slots to a new table with at least four times as many slots, and at least 256.
  private static func rebuild() -> Bool {
    let oldTable = state.mappedTable
    let oldSlotCount = slotCount(of: oldTable)
    var liveCount: UInt = 0
    for index in 0..<oldSlotCount where record(oldTable + index * slotByteCount).address > MappedSlot.removed {
      liveCount += 1
    }
    var slotCount: UInt = 256
    while slotCount < liveCount * 4 { slotCount *= 2 }
    guard let table = try? SystemPages.map(byteCount: slotCount * slotByteCount) else { return false }
    write(table, byteCount: slotCount)
    write(table, address: MappedSlot.removed)
    for index in 0..<oldSlotCount {
      let slot = record(oldTable + index * slotByteCount)
      if slot.address > MappedSlot.removed {
        place(slot.address, slot.byteCount, table: table)
      }
    }
    state.mappedTable = table
    state.fields.mappedCount = liveCount + 1
    if oldTable != 0 { try? SystemPages.unmap(oldTable, byteCount: oldSlotCount * slotByteCount) }
    return true
  }
}
