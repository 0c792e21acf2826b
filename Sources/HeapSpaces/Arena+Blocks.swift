internal import Addresses
internal import FirstFitHeap
package import HeapBlocks

// Blocks too large for spans. First fit places them densely. Such a block costs a lock and a logarithm; the thread cache
// saves both in most cases (ThreadHeap+Cache.swift).

extension HeapSpace {
  /// The smallest block of no class: one byte more than classes serve.
  static var arenaMinimumByteCount: UInt { SizeClass.maximumByteCount + 1 }

  /// A block of at least `byteCount` bytes from an arena; 0 when there is no memory. Its bytes are 0 if `zeroed`.
  /// - Parameter home: The number of the arena that the thread keeps to (HeapSpace+ArenaChoice.swift).
  package func allocateInArena(byteCount: UInt, alignment: UInt, zeroed: Bool = false, home: inout UInt8) -> UInt {
    let need = max(byteCount, HeapSpace.arenaMinimumByteCount)
    guard
      let (arena, block) = allocateInSomeArena(
        byteCount: need, alignment: alignment, zeroed: zeroed, home: &home)
    else { return 0 }
    if block != 0 {
      let entry = ArenaEntry(of: block)
      granuleUnchecked(around: block).arenaPart.add(entry)
      arena.fields.countedByteCount += entry.blockByteCount
    }
    let isPurging = arena.fields.purgePosition != 0
    arena.unlock()
    guard block != 0 else { return 0 }
    let usable = FirstFitHeap.blockByteCount(of: VirtAddr(block)) - BlockLayout.headerByteCount
    openInside(of: block, usable, zeroed: zeroed)
    if isPurging { arena.continuePurge() }
    return block
  }

  /// A block of a class whose blocks are larger than a page: 0 when there is no memory. It serves a thread that has few
  /// blocks of the class, for which a span would be too much.
  package func allocateInArena(_ sizeClass: SizeClass, alignment: UInt, home: inout UInt8) -> UInt {
    let byteCount = sizeClass.blockByteCount
    guard
      let (arena, block) = allocateInSomeArena(
        byteCount: byteCount, alignment: alignment, zeroed: false, home: &home)
    else { return 0 }
    if block != 0 {
      granuleUnchecked(around: block).arenaPart.addClassBlock(block)
      arena.fields.countedByteCount += byteCount
    }
    let isPurging = arena.fields.purgePosition != 0
    arena.unlock()
    if block != 0 { openInside(of: block, byteCount, zeroed: false) }
    if isPurging { arena.continuePurge() }
    return block
  }

  /// The same from the first arena, for a heap with one thread.
  package func allocateInArena(byteCount: UInt, alignment: UInt, zeroed: Bool = false) -> UInt {
    var home: UInt8 = 0
    return allocateInArena(byteCount: byteCount, alignment: alignment, zeroed: zeroed, home: &home)
  }

  /// Frees the block at `address`, which is in use or in a thread's cache.
  package func deallocateInArena(_ address: UInt) {
    let part = granuleUnchecked(around: address).arenaPart
    let arena = arena(of: part)
    guard arena.lock() else { return }
    let byteCount = arena.deallocate(address, of: part)
    let isPurging = arena.isPurging(.free)
    arena.unlock()
    if isPurging { arena.continuePurge(freeing: byteCount) }
  }

  /// Makes the block at `address`, which is in use, hold `byteCount` bytes without moving it. Returns whether it
  /// succeeded.
  package func resizeInArena(_ address: UInt, byteCount: UInt) -> Bool {
    let arena = arena(of: granuleUnchecked(around: address).arenaPart)
    guard byteCount > SizeClass.maximumByteCount, arena.lock() else { return false }
    defer { arena.unlock() }
    return arena.resize(address, byteCount: byteCount)
  }
}

// With the arena's lock held.
extension Arena {
  /// More than first fit ever adds to a request: it rounds up by less than two of its granules, and keeps a rest
  /// smaller than its minimum block. The sum is charged beforehand. If a block exceeded the quota afterwards and were
  /// freed, the pages that first fit wrote to would not be noted.
  private static var mostAddedByteCount: UInt { 64 }

  /// A block of at least `byteCount` bytes, 0 when there is no memory, or no room and the arena may not grow.
  func allocate(byteCount: UInt, alignment: UInt, zeroed: Bool, mayGrow: Bool) -> UInt {
    let charged = byteCount + Arena.mostAddedByteCount
    guard space.charge(byteCount: charged) else { return 0 }
    var found = place(byteCount: byteCount, alignment: alignment)
    if found == nil, mayGrow, grow(for: byteCount, alignment: alignment) {
      found = place(byteCount: byteCount, alignment: alignment)
    }
    guard let found else {
      space.refund(byteCount: charged)
      return 0
    }
    let usable = FirstFitHeap.blockByteCount(of: found) - BlockLayout.headerByteCount
    space.refund(byteCount: charged - usable)
    fields.usedByteCount += usable
    fields.decay.noteUsed(usable, now: space.milliseconds)
    space.openEdges(of: found.raw, usable, zeroed: zeroed)
    // The memory may still carry the mark of a block that lay in a cache.
    FreeBlock(found.raw).markWord = 0
    return found.raw
  }

  /// A block of the arena: the lowest that fits while the arena is small. In a large arena the rests of holes add up,
  /// and a search among more holes pays.
  private func place(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    if alignment > BlockLayout.granuleByteCount {
      return fields.heap.allocate(byteCount: byteCount, alignment: alignment)
    }
    let holeCount: UInt = fields.usedByteCount >= Arena.bestFitMinimum ? 32 : fields.usedByteCount >= 16 << 20 ? 8 : 1
    return fields.heap.allocate(byteCount: byteCount, fromBestOf: holeCount)
  }

  /// How many used bytes make an arena large.
  private static var bestFitMinimum: UInt { 64 << 20 }

  /// Frees a block in `part`. Returns its size in bytes, the header included.
  fileprivate func deallocate(_ address: UInt, of part: ArenaPart) -> UInt {
    let (blockByteCount, countedByteCount) = part.remove(address)
    let byteCount = blockByteCount - BlockLayout.headerByteCount
    fields.decay.noteFreed(byteCount)
    fields.usedByteCount -= min(byteCount, fields.usedByteCount)
    fields.countedByteCount -= min(countedByteCount, fields.countedByteCount)
    space.refund(byteCount: byteCount)
    // In a child of fork, the block may be of an abandoned heap.
    if part.fields.epoch == fields.epoch { fields.heap.deallocate(VirtAddr(address)) }
    return blockByteCount
  }

  fileprivate func resize(_ address: UInt, byteCount: UInt) -> Bool {
    let part = space.granuleUnchecked(around: address).arenaPart
    let entry = part.entry(of: address)
    guard entry != .none, part.fields.epoch == fields.epoch else { return false }
    let before = entry.byteCount
    let mostMore = byteCount > before ? byteCount - before + Arena.mostAddedByteCount : 0
    guard space.charge(byteCount: mostMore) else { return false }
    var isResized = fields.heap.resize(VirtAddr(address), toByteCount: byteCount)
    if !isResized, grow(above: address, toHold: byteCount) {
      isResized = fields.heap.resize(VirtAddr(address), toByteCount: byteCount)
    }
    let usable = isResized ? fields.heap.usableByteCount(of: VirtAddr(address)) : before
    space.refund(byteCount: before + mostMore - usable)
    guard isResized else { return false }
    part.replace(address, with: ArenaEntry(of: address))
    fields.countedByteCount = fields.countedByteCount + usable - min(before, fields.countedByteCount + usable)
    if usable > before {
      space.markResident(address + before, usable - before)
      fields.usedByteCount += usable - before
      fields.decay.noteUsed(usable - before, now: space.milliseconds)
    } else {
      fields.usedByteCount -= min(before - usable, fields.usedByteCount)
      fields.decay.noteFreed(before - usable)
    }
    return true
  }
}
