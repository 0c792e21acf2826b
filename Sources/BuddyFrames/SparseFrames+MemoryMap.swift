public import Addresses
import Assertions
public import MemoryMaps
public import MemoryProtocols

extension SparseFrames {
  /// How many bytes an allocator for selected memory of `map` needs, its list of banks and all frame tables included,
  /// at a multiple of ``BuddyFrames/tableAlignment``.
  ///
  /// It is some 0.4 % of the memory. Taking memory out of the map does not change it.
  public static func byteCount(
    forMemoryOf map: borrowing MemoryMap, _ selection: MemorySelection = MemorySelection()
  ) -> UInt {
    var byteCount = listByteCount(of: map, selection)
    FrameBankPlan.forEachBank(of: map, selection) { byteCount += tableByteCount(for: $0) }
    return byteCount
  }

  /// An allocator for selected memory of `map`.
  ///
  /// A frame is free if every byte of it is usable. All others are reserved; ``reclaim(_:in:)`` frees the reclaimable
  /// ones. Holes of 16 MiB and more have no frame table.
  ///
  /// - Parameters:
  ///   - map: The machine's memory. Where `storage` lies in it, it must not be usable.
  ///   - selection: Which of that memory; all of it by default.
  ///   - storage: Memory for the list of banks and the frame tables. Traps unless it has at least
  ///     ``byteCount(forMemoryOf:_:)`` bytes at a multiple of ``BuddyFrames/tableAlignment``.
  ///   - content: What `storage` holds.
  public init(
    memoryMap map: borrowing MemoryMap, _ selection: MemorySelection = MemorySelection(),
    in storage: AddrRange<VirtAddr>, holding content: FrameTableContent
  ) {
    let byteCount = SparseFrames.byteCount(forMemoryOf: map, selection)
    require(
      byteCount <= storage.byteCount, "a sparse allocator needs more memory than it was given, in bytes",
      UInt64(byteCount))
    let (span, bankCount) = SparseFrames.extent(of: map, selection)
    self.init(spanning: span, bankCapacity: bankCount, in: storage)
    addBanks(of: map, selection, from: storage.start + SparseFrames.listByteCount(of: map, selection), holding: content)
    for index in 0..<self.bankCount { reserveUnusable(ofBank: index, map) }
  }

  /// An allocator for selected memory of `map`, which gives it the memory it needs; nil when it has none left that
  /// fits.
  ///
  /// - Parameters:
  ///   - map: The machine's memory.
  ///   - selection: Which of that memory; all of it by default.
  ///   - bounds: Where that memory must lie, such as what the boot page tables map. Everywhere by default. Memory of the
  ///     selected node comes first.
  ///   - mapper: Finds the virtual addresses of that memory.
  /// - Throws: `MemoryMapError.full` when the map has no room for what was taken.
  public init?(
    takingOver map: inout MemoryMap, _ selection: MemorySelection = MemorySelection(),
    tableWithin bounds: AddrRange<PhysAddr>? = nil, mapper: some PhysMapper
  ) throws(MemoryMapError) {
    guard let storage = try SparseFrames.takeStorage(of: &map, selection, within: bounds) else { return nil }
    self.init(memoryMap: map, selection, in: mapper.virtual(storage), holding: .anything)
  }

  /// Takes the memory for an allocator out of the map, near to what it describes where that is possible.
  static func takeStorage(
    of map: inout MemoryMap, _ selection: MemorySelection, within bounds: AddrRange<PhysAddr>?
  ) throws(MemoryMapError) -> AddrRange<PhysAddr>? {
    let byteCount = UInt64(byteCount(forMemoryOf: map, selection))
    // A frame of its own for its end, too: what shares a frame with it could never be free.
    let wholeFrames = (max(byteCount, 1) + 4095) & ~4095
    if let node = selection.node,
      let near = try map.allocate(byteCount: wholeFrames, within: bounds, onNode: node)
    {
      return near
    }
    return try map.allocate(byteCount: wholeFrames, within: bounds)
  }

  // MARK: Layout

  /// The addresses of all banks, later ones included, and how many there can be.
  private static func extent(
    of map: borrowing MemoryMap, _ selection: MemorySelection
  ) -> (span: AddrRange<PhysAddr>, bankCount: Int) {
    var span = selection.laterSpan
    var bankCount = selection.laterBankCount
    FrameBankPlan.forEachBank(of: map, selection) { bank in
      let old = span ?? bank
      span = AddrRange(start: min(old.start, bank.start), end: max(old.end, bank.end))
      bankCount += 1
    }
    return (span ?? AddrRange(start: .null, end: .null), bankCount)
  }

  /// How many banks an allocator for selected memory of `map` can have.
  static func bankCapacity(for map: borrowing MemoryMap, _ selection: MemorySelection) -> Int {
    extent(of: map, selection).bankCount
  }

  private static func listByteCount(of map: borrowing MemoryMap, _ selection: MemorySelection) -> UInt {
    let (span, bankCount) = extent(of: map, selection)
    return alignedToTable(byteCount(spanning: span, bankCapacity: bankCount))
  }

  private static func tableByteCount(for bank: AddrRange<PhysAddr>) -> UInt {
    alignedToTable(BuddyFrames.tableByteCount(for: bank))
  }

  private static func alignedToTable(_ byteCount: UInt) -> UInt {
    (byteCount + BuddyFrames.tableAlignment - 1) & ~(BuddyFrames.tableAlignment - 1)
  }

  private mutating func addBanks(
    of map: borrowing MemoryMap, _ selection: MemorySelection, from start: VirtAddr, holding content: FrameTableContent
  ) {
    var table = start
    FrameBankPlan.forEachBank(of: map, selection) { range in
      let byteCount = SparseFrames.tableByteCount(for: range)
      add(range, tableIn: AddrRange(start: table, byteCount: byteCount), holding: content)
      table = table + byteCount
    }
  }

  // MARK: Usable frames

  /// Reserves the frames of a bank that are not wholly usable.
  private mutating func reserveUnusable(ofBank index: Int, _ map: borrowing MemoryMap) {
    let bank = range(ofBank: index)
    var unusable = bank.start
    map.forEachRange {
      $0.kind == .usable
    } _: { range in
      guard let usable = range.alignedInward(to: PageSize.size4KiB.byteCount).intersection(bank) else { return }
      withBank(index) { $0.reserve(AddrRange(start: unusable, end: usable.start)) }
      unusable = usable.end
    }
    withBank(index) { $0.reserve(AddrRange(start: unusable, end: bank.end)) }
  }

  /// Makes the memory of a reclaimable kind usable, here and in the map that the allocator was created from.
  ///
  /// Traps unless the kind is reclaimable and all its frames are reserved.
  ///
  /// - Returns: How many frames became free.
  public mutating func reclaim(_ kind: MemoryKind, in map: inout MemoryMap) -> UInt64 {
    let count = unreserve(kind, map)
    map.replace(kind, with: .usable)
    return count
  }

  /// Frees the frames that are wholly usable once memory of `kind` is.
  mutating func unreserve(_ kind: MemoryKind, _ map: borrowing MemoryMap) -> UInt64 {
    require(kind.isReclaimable, "only ACPI tables and what the boot loader left can be reclaimed")
    let before = freeFrameCount
    map.forEachRange {
      $0.kind == .usable || $0.kind == kind
    } _: { range in
      let whole = range.alignedInward(to: PageSize.size4KiB.byteCount)
      for index in 0..<map.count where map[index].kind == kind {
        let touched = map[index].range.alignedOutward(to: PageSize.size4KiB.byteCount)
        if let frames = touched.intersection(whole) { unreserveFrames(frames) }
      }
    }
    return freeFrameCount - before
  }

  /// Frees what is still reserved of `frames`: two parts may share the frame at their border, which is then free
  /// already. Frame 0 stays reserved.
  private mutating func unreserveFrames(_ frames: AddrRange<PhysAddr>) {
    for index in list.index(reaching: frames.start, of: bankCount)..<bankCount {
      guard var part = range(ofBank: index).intersection(frames) else { return }
      withBank(index) { bank in
        while !part.isEmpty {
          let first = AddrRange(start: part.start, byteCount: PageSize.size4KiB.byteCount)
          guard first.start.isNull || bank.isFree(first) else { break }
          part = AddrRange(start: first.end, end: part.end)
        }
        if !part.isEmpty { bank.unreserve(part) }
      }
    }
  }
}

extension PhysMapper {
  /// The virtual addresses of a range, which the mapper must cover as a whole.
  func virtual(_ range: AddrRange<PhysAddr>) -> AddrRange<VirtAddr> {
    AddrRange(start: physToVirt(range.start), byteCount: UInt(range.byteCount))
  }
}
