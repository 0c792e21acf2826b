import Addresses
import Assertions

// Allocation of small blocks by the table of the lowest range, the way of nearly all requests where there is one.
//
// It does what `allocateAnywhere`, `takeFront` and the index do one after the other, in one function: the search already
// knows the stretch of the hole and the bits of that stretch, and that no tree has the hole. Whatever is out of the
// ordinary goes to `allocateAnywhere`, which begins anew.

extension FirstFitHeap {
  /// A block of at least `byteCount` bytes at a multiple of `alignment`, or nil when none fits.
  @inline(never)
  mutating func allocate(byteCount: UInt, alignment: UInt, by table: HoleTable) -> VirtAddr? {
    let isOrdinary = byteCount <= HoleTable.requestByteMaximum && alignment.divides(BlockLayout.granuleByteCount)
    if _fastPath(isOrdinary) {
      let need = BlockLayout.blockByteCount(forSmall: byteCount)
      let size = UInt32(truncatingIfNeeded: need / BlockLayout.granuleByteCount)
      if let hole = table.lowestHole(ofAtLeast: size), !HoleIndex.isLarge(hole.node.size) {
        return takeFront(of: hole, need: need, in: table)
      }
    }
    return allocateAnywhere(byteCount: byteCount, alignment: alignment)
  }

  /// Cuts a block of `need` bytes from the front of a hole that only the table has.
  @inline(__always)
  private mutating func takeFront(of hole: TableHole, need: UInt, in table: HoleTable) -> VirtAddr {
    let range = table.range
    let size = hole.node.size
    let byteCount = UInt(size) &* BlockLayout.granuleByteCount
    let start = hole.node.end &- byteCount
    checkHole(at: start, byteCount: byteCount, in: range)
    let rest = byteCount &- need
    var bits = table.bits(of: hole.stretch)
    var taken = need
    if rest >= BlockLayout.minimumBlockByteCount {
      range.setHeader(at: start &+ need, byteCount: rest, isInUse: false)
      hole.node.size = UInt32(truncatingIfNeeded: rest / BlockLayout.granuleByteCount)
    } else {
      taken = byteCount
      bits ^= hole.bit
      table.setBits(of: hole.stretch, bits)
      indexedHoleCount &-= 1
      range.setBelowIsFree(false, at: start &+ byteCount)
    }
    range.setHeader(at: start, byteCount: taken, isInUse: true)
    table.lowerToLargest(of: hole.stretch, bits: bits, from: HoleTable.smallClass(size))
    return give(start, byteCount: taken)
  }
}

extension UInt {
  /// Whether this is a power of two and at most `power`, which is one too. Zero is not.
  @inline(__always) fileprivate func divides(_ power: UInt) -> Bool {
    (self &- 1) & (self | ~(power &- 1)) == 0
  }
}
