import Addresses
import Assertions
import MemoryProtocols

// The list of holes: placing, cutting, merging, and its words in memory.

extension PlainListHeap {
  static func blockByteCount(for byteCount: UInt) -> UInt { max(32, (byteCount + 8 + 15) & ~15) }

  /// The lowest start in a hole for a block of `need` bytes whose content is aligned; nil when there is none. What is
  /// left in front of the block is empty or long enough for a hole.
  static func place(need: UInt, alignment: UInt, from hole: UInt, to end: UInt) -> UInt? {
    guard var content = VirtAddr(hole + 8).checkedAlignedUp(to: alignment)?.raw else { return nil }
    if content > hole + 8, content < hole + 40 {
      guard let further = VirtAddr(hole + 40).checkedAlignedUp(to: alignment)?.raw else { return nil }
      content = further
    }
    return content - 8 <= end && end - (content - 8) >= need ? content - 8 : nil
  }

  /// Makes the rest of a hole a hole where it is long enough.
  ///
  /// - Returns: The end of the block in front of the rest, and the hole that follows it in the list.
  func cut(from start: UInt, to holeEnd: UInt, next: UInt) -> (start: UInt, hole: UInt) {
    let rest = holeEnd - start
    guard rest >= 32 || (holeEnd == end && rest > 0) else { return (holeEnd, next) }
    setHole(at: start, byteCount: rest, next: next)
    return (start, start)
  }

  /// Makes a block of `need` bytes at `start` in a hole, which follows `previous` in the list.
  @inline(__always) mutating func take(_ start: UInt, need: UInt, from hole: UInt, after previous: UInt) -> VirtAddr {
    let next = cut(from: start + need, to: hole + word(hole), next: word(hole + 8))
    if start > hole { setHole(at: hole, byteCount: start - hole, next: next.hole) }
    link(previous, to: start > hole ? hole : next.hole)
    setInUse(start, byteCount: next.start - start)
    counts.blockCount += 1
    return VirtAddr(start + 8)
  }

  /// The holes below and above an address; 0 where there is none. This walk makes freeing O(n).
  func holes(around address: UInt) -> (below: UInt, above: UInt) {
    var below: UInt = 0
    var above = head
    while above != 0, above < address { (below, above) = (above, word(above + 8)) }
    return (below, above)
  }

  mutating func release(_ start: UInt, to blockEnd: UInt) {
    let (below, above) = holes(around: start)
    let merges = above == blockEnd
    let holeEnd = merges ? above + word(above) : blockEnd
    let next = merges ? word(above + 8) : above
    if below != 0, below + word(below) == start {
      setHole(at: start, byteCount: holeEnd - start, next: 0)
      setHole(at: below, byteCount: holeEnd - below, next: next)
    } else {
      setHole(at: start, byteCount: holeEnd - start, next: next)
      link(below, to: start)
    }
  }

  /// The start of the block in use whose content is at `address`; ends the process when there is none.
  func block(at address: VirtAddr) -> UInt {
    let start = address.raw &- 8
    require(
      address.raw & 15 == 0 && start >= first && start < end && word(start) & 1 == 1,
      "no block in use starts at the pointer given to the heap", UInt64(address.raw))
    return start
  }

  mutating func setInUse(_ start: UInt, byteCount: UInt) {
    setWord(start, byteCount | 1)
    counts.usedByteCount += byteCount
    counts.peakUsedByteCount = max(counts.peakUsedByteCount, counts.usedByteCount)
    counts.peakExtentByteCount = max(counts.peakExtentByteCount, start + byteCount - (first - 40))
  }

  func setHole(at start: UInt, byteCount: UInt, next: UInt) {
    setWord(start, byteCount)
    setWord(start + 8, next)
  }

  mutating func link(_ hole: UInt, to next: UInt) {
    if hole == 0 { head = next } else { setWord(hole + 8, next) }
  }

  // SAFETY: for both, addresses come from the range that the heap was given and from sizes that it wrote there.
  func word(_ address: UInt) -> UInt { unsafe VirtAddr(address).unsafePointer.load(as: UInt.self) }
  func setWord(_ address: UInt, _ word: UInt) {
    unsafe VirtAddr(address).unsafePointer.storeBytes(of: word, as: UInt.self)
  }
}
