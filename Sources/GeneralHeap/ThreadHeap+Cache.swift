internal import CLabMalloc
internal import Contracts

// The short cache in front of the arenas: blocks that this thread freed last, by size, sixteen bins to the doubling. A
// request looks into the bin of its own size, whose blocks may be a little too small, and into the next, whose blocks
// never are. When the cache holds too much it goes back whole; so nothing in it grows old.

extension ThreadHeap {
  /// How many bytes the cache holds at most.
  static var cacheByteMaximum: UInt { 2 << 20 }

  /// The largest block that the cache takes.
  static var cacheBlockMaximum: UInt { 1 << 20 }

  /// The bin of a size from 32 KiB up to `cacheBlockMaximum`, 0 to 80.
  @inline(__always)
  static func cacheBin(_ byteCount: UInt) -> Int {
    let exponent = UInt.bitWidth &- 1 &- byteCount.leadingZeroBitCount
    return (exponent &- 15) &* 16 &+ Int(bitPattern: byteCount >> UInt(bitPattern: exponent &- 4)) &- 16
  }

  /// The first block of a bin.
  @inline(__always)
  private func binSlot(_ bin: Int) -> UnsafeMutablePointer<UInt> {
    // SAFETY: `cacheBins` lies at this offset of the record, and a bin's number is at most 81.
    unsafe UnsafeMutablePointer<UInt>(bitPattern: address &+ ThreadHeap.cacheBinsOffset).unsafelyUnwrapped + bin
  }

  /// A cached block of at least `byteCount` bytes, above 32 KiB, 0 when there is none.
  @inline(__always)
  func popCached(_ byteCount: UInt) -> UInt {
    let bin = ThreadHeap.cacheBin(byteCount)
    let block = popCached(byteCount, bin: bin)
    return block != 0 ? block : popCached(byteCount, bin: bin &+ 1)
  }

  @inline(__always)
  private func popCached(_ byteCount: UInt, bin: Int) -> UInt {
    let slot = unsafe binSlot(bin)
    let block = unsafe FreeBlock(slot.pointee)
    if block.address == 0 { return 0 }
    let space = space
    let entrySlot = space.entrySlot(block.address, of: space.spanUnchecked(containing: block.address))
    var entry = ArenaEntry(word: UInt(lab_malloc_word(CUnsignedLong(entrySlot))))
    guard entry.byteCount >= byteCount else { return 0 }
    unsafe slot.pointee = block.next
    fields.cacheByteCount &-= entry.byteCount
    entry = ArenaEntry(offset: entry.offset, byteCount: entry.byteCount, state: .live)
    lab_malloc_word_set(CUnsignedLong(entrySlot), CUnsignedLong(entry.word))
    return block.address
  }

  /// Puts a block into the cache; false when it is too large or the cache is full.
  @inline(__always)
  func pushCached(_ address: UInt, slot entrySlot: UInt, byteCount: UInt) -> Bool {
    guard byteCount <= ThreadHeap.cacheBlockMaximum,
      fields.cacheByteCount &+ byteCount <= ThreadHeap.cacheByteMaximum
    else { return false }
    let entry = ArenaEntry(offset: address & (Span.byteCount &- 1), byteCount: byteCount, state: .cached)
    lab_malloc_word_set(CUnsignedLong(entrySlot), CUnsignedLong(entry.word))
    let slot = unsafe binSlot(ThreadHeap.cacheBin(byteCount))
    unsafe FreeBlock(address).next = slot.pointee
    unsafe slot.pointee = address
    fields.cacheByteCount &+= byteCount
    return true
  }

  /// Gives every cached block back to its arena.
  func flushCache() {
    guard fields.cacheByteCount != 0 else { return }
    for bin in 0..<ThreadHeap.cacheBinCount {
      while true {
        let block = unsafe FreeBlock(binSlot(bin).pointee)
        if block.address == 0 { break }
        unsafe binSlot(bin).pointee = block.next
        let space = space
        let slot = space.entrySlot(block.address, of: space.spanUnchecked(containing: block.address))
        space.deallocateInArena(block.address, slot: slot)
      }
    }
    fields.cacheByteCount = 0
  }
}
