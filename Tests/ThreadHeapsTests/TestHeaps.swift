import HeapBlocks
import HeapSpaces
import LabTestSupport
import Testing

@testable import ThreadHeaps

/// Thread heaps over one space. A test works on them in turns, as threads would: one at a time on each.
struct TestHeaps {
  private let memory: ReservedSpace

  init(byteCount: UInt = 256 << 20) throws { memory = try #require(ReservedSpace(byteCount: byteCount)) }

  var space: HeapSpace { memory.space }

  /// A new heap.
  func make() throws -> ThreadHeap { try #require(ThreadHeap.create(over: space)) }

  /// A new heap that took so many bytes from arenas, as far as its cache knows: the cache may hold a share of them.
  func make(largeByteCount: UInt) throws -> ThreadHeap {
    let heap = try make()
    heap.fields.largeByteCount = largeByteCount
    heap.limitCache()
    return heap
  }

  /// A new heap that holds so much that it may keep 16 empty spans.
  func makeLarge() throws -> ThreadHeap {
    let heap = try make()
    _ = try heap.allocate(256, count: 64 << 10)
    return heap
  }

  /// The span around a block.
  func span(of block: UInt) -> BlockSpan { space.granuleUnchecked(around: block).span }

  /// The spans of a heap.
  func spans(of heap: ThreadHeap) -> [BlockSpan] {
    (space.fields.firstGranule..<space.committedEnd).map { space.span(UInt32($0)) }
      .filter { $0.use.isSpan && heap.owns($0) }
  }

  /// Whether a heap's account of its bytes is that of its spans, but for those that others claimed meanwhile.
  func hasTrueAccount(_ heap: ThreadHeap) -> Bool {
    heap.fields.heldByteCount == spans(of: heap).reduce(0) { $0 + $1.presentByteCount } + heap.fields.claimedByteCount
  }
}

extension ThreadHeap {
  /// A block, as malloc's slow paths get it; the test fails without memory.
  func allocate(_ byteCount: UInt) throws -> UInt {
    let sizeClass = SizeClass(fitting: byteCount)
    var block = sizeClass.hasMagazine ? popMagazine(sizeClass) : popActive(sizeClass)
    if block == 0 { block = refill(sizeClass) }
    try #require(block != 0)
    return block
  }

  func allocate(_ byteCount: UInt, count: Int) throws -> [UInt] {
    try (0..<count).map { _ in try allocate(byteCount) }
  }

  /// Takes a block back, as free's slow paths do it.
  func deallocate(_ address: UInt) {
    let granule = space.granuleUnchecked(around: address)
    let block = FreeBlock(address)
    if granule.use == .arena, let sizeClass = granule.arenaPart.classInUse(of: block) {
      if !pushMagazine(block, sizeClass) { pushFullMagazine(block, sizeClass) }
      return
    }
    let span = granule.span
    if !owns(span) {
      sendHome(block, to: span)
    } else if span.sizeClass.hasMagazine, pushMagazine(block, span.sizeClass) {
    } else if span.push(block) {
      handleEvent(span)
    }
  }

  func deallocate(_ blocks: some Sequence<UInt>) {
    for block in blocks { deallocate(block) }
  }

  /// The blocks of a class to hand out next.
  func activeBlocks(_ sizeClass: SizeClass) -> [UInt] { linkedBlocks(active(sizeClass)) }
}

/// The blocks of a list, first to last.
func linkedBlocks(_ first: UInt) -> [UInt] {
  Array(sequence(first: first) { FreeBlock($0).next }.prefix { $0 != 0 })
}
