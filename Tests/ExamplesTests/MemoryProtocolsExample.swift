import Addresses
import MemoryProtocols

// BEGIN
/// The simplest policy: blocks lie one behind the other, and their memory is free again once all are. It trusts its
/// callers, where a policy for daily use would end the program at an address that is no block.
struct BumpHeap: HeapPolicy {
  private let range: AddrRange<VirtAddr>
  private var next: VirtAddr
  private var blockCount: UInt = 0
  private var peak: UInt = 0

  init(over range: AddrRange<VirtAddr>) {
    self.range = range.alignedInward(to: 16)
    next = self.range.start
  }

  private var used: AddrRange<VirtAddr> { AddrRange(start: range.start, end: next) }
  private var free: AddrRange<VirtAddr> { AddrRange(start: next, end: range.end) }

  mutating func allocate(byteCount: UInt, alignment: UInt) -> VirtAddr? {
    // The word before a block holds the block's length.
    guard byteCount <= range.byteCount,
      let block = (next + 16).checkedAlignedUp(to: max(alignment, 16)),
      block <= range.end, AddrRange(start: block, end: range.end).byteCount >= byteCount
    else { return nil }
    setLength(byteCount, of: block)
    next = (block + byteCount).alignedUp(to: 16)
    blockCount += 1
    peak = max(peak, used.byteCount)
    return block
  }

  mutating func deallocate(_ address: VirtAddr) {
    blockCount -= 1
    if blockCount == 0 { next = range.start }
  }

  mutating func resize(_ address: VirtAddr, toByteCount byteCount: UInt) -> Bool {
    byteCount <= usableByteCount(of: address)
  }

  func usableByteCount(of address: VirtAddr) -> UInt {
    // SAFETY: allocate(byteCount:alignment:) wrote the word, which lies in the range.
    unsafe (address - 16).unsafePointer.load(as: UInt.self)
  }

  private func setLength(_ byteCount: UInt, of block: VirtAddr) {
    // SAFETY: the word lies in the range, before the block and behind the block below.
    unsafe (block - 16).unsafePointer.storeBytes(of: byteCount, as: UInt.self)
  }

  func forEachBlock(_ body: (HeapBlock) -> Void) {
    if !used.isEmpty { body(HeapBlock(range: used, isFree: false)) }
    if !free.isEmpty { body(HeapBlock(range: free, isFree: true)) }
  }

  var statistics: HeapStatistics {
    var statistics = HeapStatistics()
    statistics.capacityByteCount = range.byteCount
    statistics.usedByteCount = used.byteCount
    statistics.freeByteCount = free.byteCount
    statistics.largestFreeByteCount = free.byteCount
    statistics.holeCount = free.isEmpty ? 0 : 1
    statistics.blockCount = blockCount
    statistics.peakUsedByteCount = peak
    statistics.peakExtentByteCount = peak
    return statistics
  }
}
// END
