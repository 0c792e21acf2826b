public import Addresses
public import Assertions

// What follows from a format's parameters.

extension PageTableFormat {
  @inlinable public static var granule: PageSize { .size4KiB }
  @inlinable public static func supports(_ permissions: MemPerm) -> Bool { true }
  @inlinable public static func supports(_ memoryType: MemoryType) -> Bool { true }
  @inlinable public static func isShared(_ leaf: PageTableEntry) -> Bool { false }

  /// The level of the root table's entries.
  @inlinable public static var rootLevel: Int { levelCount - 1 }

  /// How many entries a table has: as many as fit the granule.
  @inlinable public static var entryCount: Int { 1 << indexBitCount }

  /// How many entries of the root translate addresses: fewer than ``entryCount`` where the highest index has fewer
  /// bits than the others.
  @inlinable public static var rootEntryCount: UInt64 {
    1 << UInt64(truncatingIfNeeded: translatedBitCount - slotBitCount(rootLevel))
  }

  /// How many bits of an address choose an entry of a table.
  @inlinable static var indexBitCount: Int { Int(granule.rawValue) - 3 }

  /// The bits of an address that the tables translate.
  @inlinable static var translatedMask: UInt64 { (1 << UInt64(truncatingIfNeeded: translatedBitCount)) - 1 }

  /// Whether these tables can translate `address`: whether its high bits are as the processor requires.
  @inlinable public static func covers(_ address: VirtAddr) -> Bool { rootIndex(of: address) < rootEntryCount }

  /// How many bits of an address lie below the index of a level.
  @inlinable @inline(__always)
  static func slotBitCount(_ level: Int) -> Int { Int(granule.rawValue) + indexBitCount * level }

  /// How many bytes an entry of a level covers.
  @inlinable @inline(__always)
  static func slotByteCount(_ level: Int) -> UInt64 { 1 << UInt64(truncatingIfNeeded: slotBitCount(level)) }

  /// The index of the entry of a level that covers an address.
  @inlinable @inline(__always)
  static func slotIndex(_ address: UInt64, level: Int) -> Int {
    Int(truncatingIfNeeded: address >> UInt64(truncatingIfNeeded: slotBitCount(level))) & (entryCount - 1)
  }

  /// The size of the pages that a level's entries map; traps for a level whose entries map none.
  @inlinable
  public static func pageSize(level: Int) -> PageSize {
    guard level <= largestPage.level, let size = PageSize(rawValue: UInt8(truncatingIfNeeded: slotBitCount(level)))
    else { fail("no page has this level:", UInt64(truncatingIfNeeded: level)) }
    return size
  }

  /// The highest level whose entries map pages of at most this size; 0 where even the granule is larger.
  @inlinable
  static func highestLevel(within size: PageSize) -> Int {
    var level = largestPage.level
    while level > 0, slotBitCount(level) > Int(size.rawValue) {
      level -= 1
    }
    return level
  }

  /// Whether entries of some level map pages of this size.
  @inlinable
  public static func has(_ size: PageSize) -> Bool {
    Int(size.rawValue) == slotBitCount(size.level) && size <= largestPage
  }

  /// The frame that a leaf of a level maps.
  @inlinable @inline(__always)
  static func frame(of leaf: PageTableEntry, level: Int) -> Page<PhysAddr> {
    Page(containing: address(in: leaf), size: pageSize(level: level))
  }

  /// Whether an entry can hold the address of the frame that `byte` lies in.
  @inlinable static func canHold(_ byte: UInt64) -> Bool { byte >> UInt64(physicalAddressBitCount) == 0 }

  /// Why a page cannot be mapped so, nil if it can.
  @inlinable @inline(__always)
  static func refusal(of attributes: PageAttributes) -> MapError? {
    if !supports(attributes.permissions) { return .unsupportedPermissions(attributes.permissions) }
    if !supports(attributes.memoryType) { return .unsupportedMemoryType(attributes.memoryType) }
    return nil
  }

  /// Whether the page was accessed since the accessed mark was last cleared.
  @inlinable public static func isAccessed(_ leaf: PageTableEntry) -> Bool { leaf.bits & accessedBits != 0 }

  /// A leaf with other permissions. The frame, the marks and everything else stay.
  @inlinable public static func leaf(_ leaf: PageTableEntry, with permissions: MemPerm) -> PageTableEntry {
    self.leaf(leaf, withPermissionBits: permissionBits(permissions))
  }

  /// A leaf of a level over another frame. The attributes, the marks, protection keys and software bits stay.
  @inlinable
  public static func leaf(_ leaf: PageTableEntry, movedTo frame: PhysAddr, level: Int) -> PageTableEntry {
    let old = PhysAddr(address(in: leaf).raw & ~(slotByteCount(level) - 1))
    return PageTableEntry(leaf.bits &- addressBits(old) &+ addressBits(frame))
  }

  /// The same leaf over part `index` of its frame: its address moves, nothing else.
  @inlinable
  static func leaf(_ leaf: PageTableEntry, movedToPart index: Int, level: Int) -> PageTableEntry {
    PageTableEntry(
      leaf.bits &+ addressBits(PhysAddr(UInt64(truncatingIfNeeded: index) &* slotByteCount(level - 1))))
  }
}

extension PageSize {
  /// The level whose entries map pages of this size, whatever the granule.
  @inlinable var level: Int { (Int(rawValue) - 12) / 9 }
}
