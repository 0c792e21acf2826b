public import Addresses

extension FirstFitHeap {
  /// Resizes a block to at least `byteCount` bytes without moving it, and frees the bytes it no longer needs.
  ///
  /// A block grows into a hole or a top right above it. It shrinks when the freed part can be a hole of its own or join
  /// one above.
  /// - Returns: Whether it succeeded; if not, the block is unchanged.
  /// - Complexity: O(log n) for n holes.
  public mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    let block = block(at: address)
    guard let need = BlockLayout.blockByteCount(for: byteCount) else { return false }
    if need > block.header.byteCount { return grow(block, to: need) }
    shrink(block, to: need)
    return true
  }

  /// Resizes a block to at least `byteCount` bytes at a multiple of `alignment`, and moves it and its content if it
  /// must.
  ///
  /// Traps unless `alignment` is a power of two.
  /// - Returns: The block's address; nil when no place fits, and then the block is unchanged.
  /// - Complexity: O(log n) for n holes, and the bytes moved.
  public mutating func reallocate(_ address: VirtAddr, toByteCount byteCount: UInt, alignment: UInt = 1) -> VirtAddr? {
    if address.isAligned(to: alignment), resize(address, toByteCount: byteCount) { return address }
    let held = usableByteCount(of: address)
    guard let moved = allocate(byteCount: byteCount, alignment: alignment) else { return nil }
    HeapMemory.copy(byteCount: min(held, byteCount), from: address.raw, to: moved.raw)
    deallocate(address)
    return moved
  }

  /// Grows a block at its end to `need` bytes, which is more than it has.
  private mutating func grow(_ block: FoundBlock, to need: UInt) -> Bool {
    let range = block.range
    let held = block.header.byteCount
    if block.end == range.top {
      guard range.end - block.start >= need else { return false }
      raiseTop(of: range, to: block.start + need)
      setSize(of: block, to: need)
      countUsed(need - held)
      return true
    }
    let above = range.checkedHeader(at: block.end)
    guard !above.isInUse, held + above.byteCount >= need else { return false }
    let node = HoleNode(end: block.end + above.byteCount)
    checkNode(node, byteCount: above.byteCount, at: block.end)
    let rest = held + above.byteCount - need
    if rest >= BlockLayout.minimumBlockByteCount {
      range.setHeader(at: block.start + need, byteCount: rest, isInUse: false)
      range.holes.setSize(of: node, to: UInt32(truncatingIfNeeded: rest / BlockLayout.granuleByteCount))
      setSize(of: block, to: need)
      countUsed(need - held)
    } else {
      range.holes.remove(node)
      indexedHoleCount -= 1
      range.setBelowIsFree(false, at: node.end)
      setSize(of: block, to: need + rest)
      countUsed(above.byteCount)
    }
    return true
  }

  /// Shrinks a block at its end to `need` bytes, at most as many as it has, if the rest is usable.
  private mutating func shrink(_ block: FoundBlock, to need: UInt) {
    let range = block.range
    let rest = block.header.byteCount - need
    guard rest > 0 else { return }
    if rest < BlockLayout.minimumBlockByteCount, block.end != range.top, range.checkedHeader(at: block.end).isInUse {
      return
    }
    setSize(of: block, to: need)
    usedByteCount -= rest
    release(block.start + need, to: block.end, belowIsFree: false, in: range)
  }

  private func setSize(of block: FoundBlock, to byteCount: UInt) {
    block.range.setHeader(
      at: block.start, byteCount: byteCount, isInUse: true, belowIsFree: block.header.belowIsFree)
  }
}
