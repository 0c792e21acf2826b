internal import Addresses
internal import FirstFitHeap
internal import HeapBlocks

// Blocks too large for spans. First fit places them densely in arenas, runs of granules from the buddy. Such a block
// costs a lock and a logarithm. The thread cache saves both in most cases (ThreadHeap+Cache.swift).

extension HeapSpace {
  /// The smallest request that an arena serves: one byte more than spans serve.
  static var arenaMinimumByteCount: UInt { SizeClass.maximumByteCount + 1 }

  /// A block of at least `byteCount` bytes from an arena; 0 when there is no memory. Its bytes are 0 if `zeroed`.
  package func allocateInArena(byteCount: UInt, alignment: UInt, zeroed: Bool = false) -> UInt {
    guard lockArenas() else { return 0 }
    defer { unlockArenas() }
    let need = max(byteCount, HeapSpace.arenaMinimumByteCount)
    let charged = need + HeapSpace.mostAddedByteCount
    guard charge(byteCount: charged) else { return 0 }
    var found = place(byteCount: need, alignment: alignment)
    if found == nil, growArena(for: need, alignment: alignment) {
      found = place(byteCount: need, alignment: alignment)
    }
    guard let found else {
      refund(byteCount: charged)
      return 0
    }
    let usable = FirstFitHeap.blockByteCount(of: found) - BlockLayout.headerByteCount
    refund(byteCount: charged - usable)
    if zeroed { zero(found.raw, usable) }
    add(found.raw, byteCount: usable)
    return found.raw
  }

  /// More than first fit ever adds to a request: it rounds up by less than two of its granules, and keeps a rest
  /// smaller than its minimum block. The sum is charged beforehand. If a block exceeded the quota afterwards and were
  /// freed, the pages that first fit wrote to would not be noted.
  private static var mostAddedByteCount: UInt { 64 }

  /// A block of the arena: the lowest that fits while the arena is small. In a large arena the rests of holes add up,
  /// and a search among more holes pays.
  private func place(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    if alignment > BlockLayout.granuleByteCount {
      return fields.arena.allocate(byteCount: byteCount, alignment: alignment)
    }
    let isLarge = fields.arenaUsedByteCount >= HeapSpace.bestFitMinimum
    return fields.arena.allocate(byteCount: byteCount, fromBestOf: isLarge ? 32 : 1)
  }

  /// How many used bytes make an arena large.
  private static var bestFitMinimum: UInt { 64 << 20 }

  /// Frees the block at `address`, which is in use or in a thread's cache.
  package func deallocateInArena(_ address: UInt) {
    guard lockArenas() else { return }
    defer { unlockArenas() }
    let part = granuleUnchecked(around: address).arenaPart
    let byteCount = part.entry(of: address).byteCount
    fields.arenaDecay.noteFreed(byteCount)
    fields.arenaUsedByteCount -= min(byteCount, fields.arenaUsedByteCount)
    refund(byteCount: byteCount)
    part.replace(address, with: .none)
    if part.fields.epoch == fields.arenaEpoch { fields.arena.deallocate(VirtAddr(address)) }
    purgeArenasHoldingLock(.free)
  }

  /// Makes the block at `address`, which is in use, hold `byteCount` bytes without moving it. Returns whether it
  /// succeeded.
  package func resizeInArena(_ address: UInt, byteCount: UInt) -> Bool {
    guard byteCount >= HeapSpace.arenaMinimumByteCount, lockArenas() else { return false }
    defer { unlockArenas() }
    let part = granuleUnchecked(around: address).arenaPart
    let entry = part.entry(of: address)
    guard entry != .none, part.fields.epoch == fields.arenaEpoch else { return false }
    let before = entry.byteCount
    let mostMore = byteCount > before ? byteCount - before + HeapSpace.mostAddedByteCount : 0
    guard charge(byteCount: mostMore) else { return false }
    var isResized = fields.arena.resize(VirtAddr(address), toByteCount: byteCount)
    if !isResized, growArena(above: address, toHold: byteCount) {
      isResized = fields.arena.resize(VirtAddr(address), toByteCount: byteCount)
    }
    let usable = isResized ? fields.arena.usableByteCount(of: VirtAddr(address)) : before
    refund(byteCount: before + mostMore - usable)
    guard isResized else { return false }
    part.replace(address, with: ArenaEntry(of: address))
    if usable > before {
      markResident(address + before, usable - before)
      fields.arenaUsedByteCount += usable - before
      fields.arenaDecay.noteUsed(usable - before, now: milliseconds)
    } else {
      fields.arenaUsedByteCount -= min(before - usable, fields.arenaUsedByteCount)
      fields.arenaDecay.noteFreed(before - usable)
    }
    return true
  }

  /// Starts the arenas again without a range: in a child of fork, when they may be half changed. Blocks of the old
  /// ranges stay; freeing one only drops its entry.
  package func abandonArena() {
    fields.arena = FirstFitHeap()
    fields.arenaByteCount = 0
    fields.arenaEpoch &+= 1
  }

  /// Adds the entry of a new block.
  private func add(_ address: UInt, byteCount: UInt) {
    fields.arenaUsedByteCount += byteCount
    fields.arenaDecay.noteUsed(byteCount, now: milliseconds)
    granuleUnchecked(around: address).arenaPart.add(ArenaEntry(of: address))
    // The memory may still carry the mark of a block that lay in a cache.
    FreeBlock(address).markWord = 0
    markResident(address, byteCount)
  }
}
