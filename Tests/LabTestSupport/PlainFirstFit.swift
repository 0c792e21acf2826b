public import Addresses

/// Textbook first fit: a list of holes in address order, walked from its start. The heap must agree with it.
///
/// It is a model: it keeps its own arrays and touches none of the memory that it allocates. All it shares with the heap
/// are the rules that decide addresses: a block has a word in front and is a multiple of 16 bytes and at least 32. It
/// also takes the rest of its hole when that is less than 32 bytes, unless the hole reaches to the end of its range.
public struct PlainFirstFit {
  private var holes: [Range<UInt>] = []
  private var blocks: [UInt: UInt] = [:]
  private var rangeEnds: Set<UInt> = []

  public init() {}

  public mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    let need = Self.blockByteCount(for: byteCount)
    for (index, hole) in holes.enumerated() {
      var start = Self.aligned(hole.lowerBound, to: alignment)
      if start > hole.lowerBound, start - hole.lowerBound < 32 {
        start = Self.aligned(hole.lowerBound + 32, to: alignment)
      }
      guard start <= hole.upperBound, hole.upperBound - start >= need else { continue }
      let end = self.end(ofBlockAt: start, need: need, in: hole)
      holes.replaceSubrange(
        index...index, with: [hole.lowerBound..<start, end..<hole.upperBound].filter { !$0.isEmpty })
      blocks[start] = end
      return VirtAddr(start + 8)
    }
    return nil
  }

  public mutating func deallocate(_ address: VirtAddr) {
    let start = address.raw - 8
    guard let end = blocks.removeValue(forKey: start) else { fatalError("no block at \(address)") }
    release(start..<end)
  }

  public mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    let start = address.raw - 8
    guard let end = blocks[start] else { fatalError("no block at \(address)") }
    let need = Self.blockByteCount(for: byteCount)
    let above = holes.firstIndex { $0.lowerBound == end }
    if start + need <= end {
      if above != nil || rangeEnds.contains(end) || end - start - need >= 32, start + need < end {
        blocks[start] = start + need
        release(start + need..<end)
      }
      return true
    }
    guard let above, holes[above].upperBound - start >= need else { return false }
    let hole = holes[above]
    let newEnd = self.end(ofBlockAt: start, need: need, in: hole)
    holes.replaceSubrange(above...above, with: [newEnd..<hole.upperBound].filter { !$0.isEmpty })
    blocks[start] = newEnd
    return true
  }
}

extension PlainFirstFit {
  private static func blockByteCount(for byteCount: UInt) -> UInt { max(32, (byteCount + 8 + 15) / 16 * 16) }

  /// The lowest block start, from `start` on, whose content is aligned.
  private static func aligned(_ start: UInt, to alignment: UInt) -> UInt {
    (start + 8 + max(alignment, 16) - 1) / max(alignment, 16) * max(alignment, 16) - 8
  }

  private func end(ofBlockAt start: UInt, need: UInt, in hole: Range<UInt>) -> UInt {
    let rest = hole.upperBound - start - need
    return rest >= 32 || rangeEnds.contains(hole.upperBound) ? start + need : hole.upperBound
  }

  private mutating func release(_ freed: Range<UInt>) {
    var freed = freed
    var index = holes.firstIndex { $0.lowerBound > freed.lowerBound } ?? holes.count
    if index < holes.count, holes[index].lowerBound == freed.upperBound {
      freed = freed.lowerBound..<holes.remove(at: index).upperBound
    }
    if index > 0, holes[index - 1].upperBound == freed.lowerBound {
      index -= 1
      freed = holes.remove(at: index).lowerBound..<freed.upperBound
    }
    holes.insert(freed, at: index)
  }
}

// MARK: - Ranges

extension PlainFirstFit {
  /// Adds a range, whose first 40 bytes the heap keeps for itself.
  public mutating func insert(_ range: AddrRange<VirtAddr>) {
    let start = (range.start.raw + 15) / 16 * 16 + 40
    let end = start + (range.end.raw - start) / 16 * 16
    rangeEnds.insert(end)
    release(start..<end)
  }

  /// Removes a range that has no block in use.
  public mutating func remove(_ range: AddrRange<VirtAddr>) {
    let hole = (range.start.raw + 15) / 16 * 16 + 40..<Self.usable(range.end)
    rangeEnds.remove(hole.upperBound)
    if hole.isEmpty { return }
    guard let index = holes.firstIndex(of: hole) else { fatalError("no free range at \(range.start)") }
    holes.remove(at: index)
  }

  /// Moves the end of the range that ends at `oldEnd`, up or down.
  public mutating func moveEnd(from oldEnd: VirtAddr, to newEnd: VirtAddr) {
    let old = Self.usable(oldEnd)
    let new = Self.usable(newEnd)
    rangeEnds.remove(old)
    rangeEnds.insert(new)
    if new > old { release(old..<new) }
    guard new < old, let top = holes.firstIndex(where: { $0.upperBound == old }) else { return }
    holes.replaceSubrange(top...top, with: [holes[top].lowerBound..<new].filter { !$0.isEmpty })
  }

  private static func usable(_ end: VirtAddr) -> UInt { (end.raw - 8) / 16 * 16 + 8 }

  /// The free blocks in address order.
  public var freeBlocks: [AddrRange<VirtAddr>] {
    holes.map { AddrRange(start: VirtAddr($0.lowerBound), end: VirtAddr($0.upperBound)) }
  }
}
