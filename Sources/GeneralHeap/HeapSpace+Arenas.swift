internal import Addresses
internal import CLabMalloc
internal import Assertions
internal import FirstFitHeap

// Blocks too large for spans, placed by first fit in arenas: runs of granules that the buddy gave. First fit keeps them
// dense; what it costs beside a thread's own lists is a lock and a logarithm, which a short cache per thread
// (ThreadHeap+Cache.swift) saves in most cases.
//
// A block has more than 32 KiB, so at most two start in any granule. The granule's descriptor says which: two words,
// `free` and `remote` of its record, each
//
//     offset in the granule + 1 | number of the LargeClass, 255 for none, << 16 | bytes << 24, 0 for no block
//
// So the size of the block at p is one load away, out of line; an interior and a foreign pointer are told without a look
// into the block; and first fit is only ever asked for blocks that it gave out.

/// The word that describes a block of an arena.
struct ArenaEntry {
  var word: UInt

  /// The entry at an address of the span table.
  init(at slot: UInt) { word = UInt(lab_malloc_word(CUnsignedLong(slot))) }

  /// The entry of the block at `address`, by its header.
  init(of address: UInt) {
    let blockByteCount = FirstFitHeap.blockByteCount(of: VirtAddr(address))
    let largeClass = LargeClass(within: blockByteCount - BlockLayout.headerByteCount)
    let number = largeClass.index < LargeClass.count ? UInt(bitPattern: largeClass.index) : 255
    word = address & (Span.byteCount - 1) | 1 | number << 16 | blockByteCount << 24
  }

  var offset: UInt { word & 0xFFFE }

  /// The block's bytes, its header included.
  var blockByteCount: UInt { word >> 24 }

  /// The bytes for its holder.
  var byteCount: UInt { blockByteCount &- BlockLayout.headerByteCount }

  /// The number of the `LargeClass` that the block can serve, 255 when there is none.
  var classIndex: Int { Int(bitPattern: word >> 16 & 255) }

  /// Whether this is the entry of the block at `address`, which lies in its granule and at a multiple of 16.
  @inline(__always)
  func describes(_ address: UInt) -> Bool {
    UInt16(truncatingIfNeeded: word) == UInt16(truncatingIfNeeded: address | 1)
  }
}

extension Span {
  /// Where the entries lie of the blocks that start in a granule of an arena.
  @inline(__always)
  var firstEntrySlot: UInt { address &+ 8 }
  @inline(__always)
  var secondEntrySlot: UInt { address &+ Span.remoteOffset }
}

extension HeapSpace {
  /// The smallest request that an arena serves: one byte more than a span does.
  static var arenaMinimumByteCount: UInt { SizeClass.maximumByteCount + 1 }

  /// A block of at least `byteCount` bytes, at least `arenaMinimumByteCount`, from an arena; 0 when there is no memory.
  /// Its bytes are 0 if `zeroed`.
  func allocateInArena(byteCount: UInt, alignment: UInt, zeroed: Bool = false) -> UInt {
    guard HeapLock.acquire(at: arenaLock) else { return 0 }
    defer { HeapLock.release(at: arenaLock) }
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
    note(found.raw, byteCount: usable)
    return found.raw
  }

  /// What first fit adds to a request at most, and more: less than two of its granules to round it up, and less than a
  /// minimum block that would be left over. Charged before, since first fit leaves its marks on pages that nobody noted
  /// when a block goes back to it untold.
  private static var mostAddedByteCount: UInt { 64 }

  /// A block of the arena. In a small arena it is the lowest one that fits; in a large one, where what is left over of
  /// holes adds up, a search among more of them pays.
  private func place(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    if alignment > BlockLayout.granuleByteCount {
      return fields.arena.allocate(byteCount: byteCount, alignment: alignment)
    }
    let isLarge = fields.arenaUsedByteCount >= HeapSpace.bestFitMinimum
    return fields.arena.allocate(byteCount: byteCount, fromBestOf: isLarge ? 32 : 1)
  }

  /// From how many used bytes on.
  private static var bestFitMinimum: UInt { 64 << 20 }

  /// Takes back the block at `address`, whose entry is `slot`.
  func deallocateInArena(_ address: UInt, slot: UInt) {
    guard HeapLock.acquire(at: arenaLock) else { return }
    defer { HeapLock.release(at: arenaLock) }
    let byteCount = ArenaEntry(at: slot).byteCount
    fields.arenaPace.noteFreed(byteCount)
    fields.arenaUsedByteCount -= min(byteCount, fields.arenaUsedByteCount)
    refund(byteCount: byteCount)
    lab_malloc_word_set(CUnsignedLong(slot), 0)
    if span(containing: address)?.fields.sizeClass == fields.arenaEpoch { fields.arena.deallocate(VirtAddr(address)) }
    purgeArenasIfDueHoldingLock()
  }

  /// Makes the live block at `address` hold `byteCount` bytes without moving it; whether it could.
  func resizeInArena(_ address: UInt, byteCount: UInt) -> Bool {
    guard byteCount >= HeapSpace.arenaMinimumByteCount, let span = span(containing: address),
      HeapLock.acquire(at: arenaLock)
    else { return false }
    defer { HeapLock.release(at: arenaLock) }
    let slot = entrySlot(address, of: span)
    guard slot != 0, span.fields.sizeClass == fields.arenaEpoch else { return false }
    let before = ArenaEntry(at: slot).byteCount
    let mostMore = byteCount > before ? byteCount - before + HeapSpace.mostAddedByteCount : 0
    guard charge(byteCount: mostMore) else { return false }
    var isResized = fields.arena.resize(VirtAddr(address), toByteCount: byteCount)
    if !isResized, growArena(above: address, toHold: byteCount) {
      isResized = fields.arena.resize(VirtAddr(address), toByteCount: byteCount)
    }
    let usable = isResized ? fields.arena.usableByteCount(of: VirtAddr(address)) : before
    refund(byteCount: before + mostMore - usable)
    guard isResized else { return false }
    lab_malloc_word_set(CUnsignedLong(slot), CUnsignedLong(ArenaEntry(of: address).word))
    if usable > before {
      markResident(address + before, usable - before)
      fields.arenaUsedByteCount += usable - before
      fields.arenaPace.noteUsed(usable - before)
    } else {
      fields.arenaUsedByteCount -= min(before - usable, fields.arenaUsedByteCount)
      fields.arenaPace.noteFreed(before - usable)
    }
    return true
  }

  /// Starts without a range: in a child of fork, when the heap may be half changed. Blocks of the ranges before stay,
  /// and are dropped when they are freed.
  func abandonArena() {
    fields.arena = FirstFitHeap()
    fields.arenaByteCount = 0
    fields.arenaEpoch &+= 1
  }

  /// The address of the entry of the block at `address`, 0 when no block starts there.
  @inline(__always)
  func entrySlot(_ address: UInt, of span: Span) -> UInt {
    if address & 15 != 0 { return 0 }
    if ArenaEntry(at: span.firstEntrySlot).describes(address) { return span.firstEntrySlot }
    if ArenaEntry(at: span.secondEntrySlot).describes(address) { return span.secondEntrySlot }
    return 0
  }

  /// Writes the entry of a new block.
  private func note(_ address: UInt, byteCount: UInt) {
    guard let span = span(containing: address) else { return }
    let entry = ArenaEntry(of: address)
    fields.arenaUsedByteCount += byteCount
    fields.arenaPace.noteUsed(byteCount)
    let slot = ArenaEntry(at: span.firstEntrySlot).word == 0 ? span.firstEntrySlot : span.secondEntrySlot
    lab_malloc_word_set(CUnsignedLong(slot), CUnsignedLong(entry.word))
    // A block may have been in a cache in its former life.
    FreeBlock(address).markWord = 0
    markResident(address, byteCount)
  }

  /// Notes that the pages of a block may be touched from now on, with what first fit writes around it: its header, and
  /// before that the node of the hole that an alignment may have left in front; the header of what follows. That hole's
  /// own header is where the hole started that the block was cut from, on a page that is noted.
  private func markResident(_ address: UInt, _ byteCount: UInt) {
    let start = address - BlockLayout.headerByteCount - BlockLayout.nodeByteCount
    let end = address + byteCount + BlockLayout.headerByteCount
    // What lies inside are whole granules of the arena, most of them noted already.
    var granule = (start | (Span.byteCount - 1)) &+ 1
    while granule &+ Span.byteCount <= end {
      spanUnchecked(containing: granule).fields.residentPages = .max
      granule &+= Span.byteCount
    }
    let firstEnd = min(end, (start | (Span.byteCount - 1)) &+ 1)
    markResident(from: start, to: firstEnd)
    if granule < end, granule >= firstEnd { markResident(from: granule, to: end) }
  }

  /// The same for a part of one granule, which need not be the arena's.
  private func markResident(from start: UInt, to end: UInt) {
    guard let span = span(containing: start), span.kind == .arena else { return }
    span.fields.residentPages |= ThreadHeap.pageMask(
      UInt32(truncatingIfNeeded: start & (Span.byteCount - 1)), UInt32(truncatingIfNeeded: end - start))
  }

  /// Zeroes those pages of a block that may have memory behind them; the others are zero.
  private func zero(_ address: UInt, _ byteCount: UInt) {
    let end = address + byteCount
    forEachPageMask(from: address, to: end) { span, granule, pages in
      HeapSpace.forEachRun(in: pages & span.fields.residentPages) { offset, byteCount in
        let from = max(address, granule + offset)
        let to = min(end, granule + offset + byteCount)
        lab_malloc_bytes_zero(CUnsignedLong(from), CUnsignedLong(to - from))
      }
    }
  }

  /// Visits the granules that a range of addresses overlaps: the descriptor, the first address, and the pages of the
  /// range, one bit each.
  func forEachPageMask(from start: UInt, to end: UInt, _ body: (Span, UInt, UInt16) -> Void) {
    var granule = start & ~(Span.byteCount - 1)
    while granule < end {
      let first = max(start, granule)
      let byteCount = min(end, granule + Span.byteCount) - first
      if let span = span(containing: granule) {
        let pages = ThreadHeap.pageMask(
          UInt32(truncatingIfNeeded: first - granule), UInt32(truncatingIfNeeded: byteCount))
        body(span, granule, pages)
      }
      granule += Span.byteCount
    }
  }

  /// Gives the arena room for a request, with its lock held: 4 MiB, a quarter of what it has, or what the request needs;
  /// behind its last range if it can.
  private func growArena(for byteCount: UInt, alignment: UInt) -> Bool {
    let (need, overflow) = byteCount.addingReportingOverflow(alignment + 4096)
    // What no range can hold, more room does not help.
    guard !overflow, need <= BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: need)
    let wanted = max(least, max(fields.arenaByteCount / 4 / Span.byteCount, HeapSpace.arenaGranuleMinimum))
    return growArena(granuleCount: wanted) || growArena(granuleCount: least)
  }

  private func growArena(granuleCount: UInt) -> Bool {
    if let extent = fields.arena.extent, extendArena(at: extent.end, granuleCount: granuleCount) { return true }
    return insertRange(granuleCount: granuleCount)
  }

  /// Gives the arena room behind the last block of a range, so that it can grow where it is.
  private func growArena(above address: UInt, toHold byteCount: UInt) -> Bool {
    guard let top = fields.arena.top(above: VirtAddr(address)) else { return false }
    // The block's header comes before it.
    let room = top.end.raw - address
    guard byteCount > room, byteCount < BlockLayout.largestRangeByteCount else { return false }
    let least = granuleCount(for: byteCount - room + BlockLayout.granuleByteCount)
    let wanted = max(least, max(byteCount / 4 / Span.byteCount, HeapSpace.arenaGranuleMinimum))
    return extendArena(at: top.end, granuleCount: wanted) || extendArena(at: top.end, granuleCount: least)
  }

  /// How many granules an arena grows by at least: 4 MiB, so that pages are committed in few calls.
  private static var arenaGranuleMinimum: UInt { 64 }

  private func granuleCount(for byteCount: UInt) -> UInt { (byteCount + Span.byteCount - 1) / Span.byteCount }

  /// Makes the range that ends at `end` longer, unless first fit would have to begin another one there.
  private func extendArena(at end: VirtAddr, granuleCount: UInt) -> Bool {
    guard let limit = fields.arena.limit(ofRangeEndingAt: end),
      granuleCount <= (limit.raw - end.raw) / Span.byteCount,
      allocateArenaGranules(from: granuleNumber(end), count: granuleCount)
    else { return false }
    insertIntoArena(granuleNumber(end), granuleCount: granuleCount)
    return true
  }

  /// Gives the arena another range, of a power of two of granules.
  private func insertRange(granuleCount: UInt) -> Bool {
    guard let order = FrameOrder(fitting: UInt64(granuleCount)), let first = allocateArenaGranules(order) else {
      return false
    }
    insertIntoArena(UInt(granule(of: first)), granuleCount: UInt(order.frameCount))
    return true
  }

  private func insertIntoArena(_ first: UInt, granuleCount: UInt) {
    for number in first..<first + granuleCount {
      let span = span(UInt32(truncatingIfNeeded: number))
      span.fields.owner = 0
      lab_malloc_word_set(CUnsignedLong(span.firstEntrySlot), 0)
      lab_malloc_word_set(CUnsignedLong(span.secondEntrySlot), 0)
      span.kind = .arena
      span.fields.sizeClass = fields.arenaEpoch
    }
    let start = VirtAddr(fields.base + first * Span.byteCount)
    let added = AddrRange(start: start, byteCount: granuleCount * Span.byteCount)
    // First fit writes a record where it begins a range: not where it makes one longer, but for what that cannot hold.
    let record = fields.arena.limit(ofRangeEndingAt: start) ?? start
    if added.contains(record) { spanUnchecked(containing: record.raw).fields.residentPages |= 1 }
    fields.arenaByteCount += added.byteCount
    fields.arena.insert(added)
  }
}
