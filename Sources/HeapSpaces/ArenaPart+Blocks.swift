internal import Addresses
internal import Assertions
internal import FirstFitHeap
package import HeapBlocks
internal import Synchronization

// The blocks that start in a granule of an arena, by address.

extension ArenaPart {
  /// The entry of the block at `address`, `.none` when no block starts there.
  @inlinable @inline(__always)
  package func entry(of address: UInt) -> ArenaEntry {
    let entry = candidate(at: address)
    return entry.describes(address) && address & 15 == 0 ? entry : .none
  }

  /// The only entry that may describe a block at `address`.
  @inlinable @inline(__always)
  func candidate(at address: UInt) -> ArenaEntry {
    let first = first
    return first.describes(address) ? first : second
  }

  /// The entry of a block that is in use and whose header is intact; else nil.
  @inline(__always)
  package func entryInUse(of block: FreeBlock) -> ArenaEntry? {
    let address = block.address
    let entry = candidate(at: address)
    guard entry.describes(address), address & 15 == 0, !block.looksFree,
      FirstFitHeap.isHeaderIntact(of: VirtAddr(address), blockByteCount: entry.blockByteCount)
    else { return nil }
    return entry
  }

  /// Ends the process unless a block in use starts at `address` whose header is intact.
  /// - Parameter isCached: Whether a block that looks free is in a thread cache or a magazine.
  package func checkBlock(at address: UInt, isCached: (FreeBlock) -> Bool) {
    let byteCount = blockByteCount(at: address)
    require(byteCount != 0, "free of a pointer that heaplab did not give out, or gave out once", UInt64(address))
    let block = FreeBlock(address)
    require(!block.looksFree || !isCached(block), "double free", UInt64(address))
    let isIntact =
      isClassBlock(address)
      ? ArenaPart.sizeClass(ofClassBlock: address) != nil
      : FirstFitHeap.isHeaderIntact(of: VirtAddr(address), blockByteCount: byteCount)
    require(isIntact, "heap corrupted, something wrote past the block below the one at", UInt64(address))
  }

  /// Adds the entry of a new block.
  func add(_ entry: ArenaEntry) {
    if first == .none { first = entry } else { second = entry }
  }

  /// Removes the block at `address`. Returns its size in bytes, the header included, and the bytes that the statistics
  /// counted for it.
  func remove(_ address: UInt) -> (blockByteCount: UInt, countedByteCount: UInt) {
    let entry = candidate(at: address)
    if entry.describes(address) {
      replace(address, with: .none)
      return (entry.blockByteCount, entry.blockByteCount)
    }
    let sizes = (FirstFitHeap.blockByteCount(of: VirtAddr(address)), countedByteCount(at: address))
    startPages &= ~(1 << UInt16(ArenaPart.page(of: address)))
    return sizes
  }

  /// Replaces the entry of the block at `address` with `new`; `.none` removes it.
  func replace(_ address: UInt, with new: ArenaEntry) {
    if first.describes(address) { first = new } else { second = new }
  }

  /// Makes the granule, which has no owner, part of an arena.
  func begin(epoch: UInt32, arena: UInt8) {
    fields.hotOwner.store(0, ordering: .relaxed)
    fields.epoch = epoch
    fields.arenaNumber = arena
    first = .none
    second = .none
    startPages = 0
    Granule(address: address).use = .arena
  }
}

// Blocks of at most 32 KiB, whose sizes are those of classes.
extension ArenaPart {
  /// The page in its granule, and the place in that page in steps of 16 bytes, of an address.
  @inlinable @inline(__always)
  static func page(of address: UInt) -> UInt { address >> UInt(Granule.pageByteShift) & 15 }
  @inlinable @inline(__always)
  static func step(of address: UInt) -> UInt8 { UInt8(truncatingIfNeeded: address >> 4) }

  /// Whether a block of at most 32 KiB starts at `address`.
  @inlinable @inline(__always)
  package func isClassBlock(_ address: UInt) -> Bool {
    let page = ArenaPart.page(of: address)
    guard startPages >> UInt16(page) & 1 != 0, address & 15 == 0 else { return false }
    // SAFETY: a granule has 16 pages.
    let step = unsafe withAtomic(&fields.startSteps[unchecked: Int(page)]) { $0.load(ordering: .relaxed) }
    return step == ArenaPart.step(of: address)
  }

  /// Adds a new block of a class.
  func addClassBlock(_ address: UInt) {
    let page = ArenaPart.page(of: address)
    withAtomic(&fields.startSteps[Int(page)]) { $0.store(ArenaPart.step(of: address), ordering: .relaxed) }
    startPages |= 1 << UInt16(page)
  }

  /// The most by which the content of a block exceeds its class: first fit rounds up, and keeps a rest that is smaller
  /// than its smallest block.
  private static var mostAddedByteCount: UInt { 24 }

  /// The size class that a block of at most 32 KiB serves; nil when its header was overwritten.
  @inline(__always)
  package static func sizeClass(ofClassBlock address: UInt) -> SizeClass? {
    let byteCount = FirstFitHeap.blockByteCount(of: VirtAddr(address))
    let content = byteCount &- BlockLayout.headerByteCount &- mostAddedByteCount
    guard FirstFitHeap.isHeaderIntact(of: VirtAddr(address), blockByteCount: byteCount),
      content &- Granule.pageByteCount < SizeClass.maximumByteCount &- Granule.pageByteCount &+ 1
    else { return nil }
    return SizeClass(aboveSteps: content)
  }

  /// The size class of a block of at most 32 KiB that is in use and whose header is intact; else nil.
  @inline(__always)
  package func classInUse(of block: FreeBlock) -> SizeClass? {
    isClassBlock(block.address) && !block.looksFree ? ArenaPart.sizeClass(ofClassBlock: block.address) : nil
  }

  /// The size of the block at `address` in bytes, its header included; 0 when no block starts there.
  package func blockByteCount(at address: UInt) -> UInt {
    let entry = entry(of: address)
    if entry != .none { return entry.blockByteCount }
    return isClassBlock(address) ? FirstFitHeap.blockByteCount(of: VirtAddr(address)) : 0
  }

  /// The bytes of a block as the statistics count them.
  func countedByteCount(at address: UInt) -> UInt {
    guard isClassBlock(address) else { return blockByteCount(at: address) }
    return ArenaPart.sizeClass(ofClassBlock: address)?.blockByteCount ?? blockByteCount(at: address)
  }

  /// Visits the blocks that start in the granule, in address order: each block's address, and its size in bytes, the
  /// header included.
  /// - Parameter start: The granule's first address.
  package func forEachBlock(from start: UInt, _ body: (UInt, UInt) -> Void) {
    for page in UInt(0)..<UInt(Granule.pageCount) {
      let pageStart = start + page << UInt(Granule.pageByteShift)
      // At most one block starts in a page.
      if startPages >> UInt16(page) & 1 != 0 {
        let address = pageStart + UInt(fields.startSteps[Int(page)]) << 4
        body(address, FirstFitHeap.blockByteCount(of: VirtAddr(address)))
      } else if first != .none, start + first.offset &- pageStart < Granule.pageByteCount {
        body(start + first.offset, first.blockByteCount)
      } else if second != .none, start + second.offset &- pageStart < Granule.pageByteCount {
        body(start + second.offset, second.blockByteCount)
      }
    }
  }
}
