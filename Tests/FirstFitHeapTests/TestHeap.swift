import Addresses
import FirstFitHeap
import LabTestSupport
import MemoryProtocols

/// A heap and its memory in an object, since the testing macros take no noncopyable values.
final class TestHeap {
  let memory: TestMemory
  private(set) var heap: FirstFitHeap

  /// A heap over `byteCount` bytes from a page boundary on, inside a memory of `capacity` bytes.
  init(byteCount: UInt = 64 << 10, of capacity: UInt = 64 << 10, search: FirstFitSearch = .tree) {
    memory = TestMemory(byteCount: capacity)
    heap = FirstFitHeap(over: AddrRange(start: memory.range.start, byteCount: byteCount), search: search)
  }

  /// The start of the memory.
  var start: VirtAddr { memory.range.start }

  /// The content of the lowest possible block: past the range's record and the block's header.
  var first: VirtAddr { start + 48 }

  var statistics: HeapStatistics { heap.statistics }

  var extent: AddrRange<VirtAddr>? { heap.extent }

  func allocate(_ byteCount: UInt, alignment: UInt = 1) -> VirtAddr? {
    heap.allocate(byteCount: byteCount, alignment: alignment)
  }

  func deallocate(_ address: VirtAddr) { heap.deallocate(address) }

  /// The lowest hole of at least `byteCount` bytes, as a block.
  func allocateHole(ofAtLeast byteCount: UInt) -> VirtAddr? { heap.allocateHole(ofAtLeast: byteCount, above: .null) }

  func resize(_ address: VirtAddr, to byteCount: UInt) -> Bool { heap.resize(address, toByteCount: byteCount) }

  func reallocate(_ address: VirtAddr, to byteCount: UInt, alignment: UInt = 1) -> VirtAddr? {
    heap.reallocate(address, toByteCount: byteCount, alignment: alignment)
  }

  func usable(_ address: VirtAddr) -> UInt { heap.usableByteCount(of: address) }

  func insert(_ range: AddrRange<VirtAddr>) { heap.insert(range) }

  func extend(by byteCount: UInt) { heap.extend(by: byteCount) }

  func top(above address: VirtAddr) -> AddrRange<VirtAddr>? { heap.top(above: address) }

  func truncate(alignment: UInt = 4096) -> AddrRange<VirtAddr>? { heap.truncate(alignment: alignment) }

  /// The ranges that `truncateRanges` releases.
  func truncateRanges(alignment: UInt = 4096, above floor: VirtAddr = .null) -> [AddrRange<VirtAddr>] {
    var cuts: [AddrRange<VirtAddr>] = []
    heap.truncateRanges(alignment: alignment, above: floor) { cuts.append($0) }
    return cuts
  }

  func limit(ofRangeEndingAt end: VirtAddr) -> VirtAddr? { heap.limit(ofRangeEndingAt: end) }

  func checkConsistency() throws(HeapInconsistency) { try heap.checkConsistency() }

  /// Every block in address order.
  var blocks: [HeapBlock] {
    var blocks: [HeapBlock] = []
    heap.forEachBlock { blocks.append($0) }
    return blocks
  }
}
