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

  /// The entry of the block at `address`. Ends the process unless the block is in use.
  /// - Parameter isCached: Whether a block that looks free is in a thread cache.
  package func checkedEntry(of address: UInt, isCached: (FreeBlock, ArenaEntry) -> Bool) -> ArenaEntry {
    let entry = entry(of: address)
    require(
      entry != .none, "free of a pointer that heaplab did not give out, or gave out once", UInt64(address))
    let block = FreeBlock(address)
    require(!block.looksFree || !isCached(block, entry), "double free", UInt64(address))
    return entry
  }

  /// Adds the entry of a new block.
  func add(_ entry: ArenaEntry) {
    if first == .none { first = entry } else { second = entry }
  }

  /// Replaces the entry of the block at `address` with `new`; `.none` removes it.
  func replace(_ address: UInt, with new: ArenaEntry) {
    if first.describes(address) { first = new } else { second = new }
  }

  /// Makes the granule, which has no owner, part of an arena.
  func begin(epoch: UInt32) {
    fields.hotOwner.store(0, ordering: .relaxed)
    fields.epoch = epoch
    first = .none
    second = .none
    Granule(address: address).use = .arena
  }
}
