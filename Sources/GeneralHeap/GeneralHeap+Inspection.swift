internal import Addresses
internal import FirstFitHeap
internal import HeapBlocks
internal import HeapSpaces
public import MemoryProtocols
internal import ThreadHeaps

// The heap's layout, as `HeapPolicy` shows it: the blocks of spans, those of arenas with their headers, and the gaps
// between. All free memory is shown as free blocks, down to 16 bytes. Granules with the heap's own records are not
// shown.

extension GeneralHeap {
  public func forEachBlock(_ body: (HeapBlock) -> Void) {
    guard let heap else { return }
    let space = heap.space
    let numbers = granules(of: space)
    var walk = LayoutWalk(position: space.start(of: space.granule(numbers.lowerBound)))
    for number in numbers {
      let granule = space.granule(number)
      let start = space.start(of: granule)
      switch granule.use {
      case .free, .reserved:
        break
      case .metadata:
        walk.skip(start, byteCount: Granule.byteCount, body)
      case .fullSpan, .currentSpan, .availableSpan:
        visitBlocks(of: granule.span, heap, start: start, &walk, body)
      case .arena:
        granule.arenaPart.forEachBlock(from: start) { address, byteCount in
          if !heap.isCached(FreeBlock(address)) {
            walk.visit(address - BlockLayout.headerByteCount, byteCount: byteCount, body)
          }
        }
      }
    }
    walk.finish(at: space.start(of: space.granule(numbers.upperBound)), body)
  }

  /// Visits the blocks of a span that are in use.
  private func visitBlocks(
    of span: BlockSpan, _ heap: ThreadHeap, start: UInt, _ walk: inout LayoutWalk, _ body: (HeapBlock) -> Void
  ) {
    let size = UInt(span.blockByteCount)
    var isFree = FreeBlockMap(of: span, start: start)
    if span.use == .currentSpan { isFree.mark(listFrom: heap.active(span.sizeClass)) }
    for number in 0..<span.capacity where !isFree[number] {
      walk.visit(start + number * size, byteCount: size, body)
    }
  }
}

/// The position of a walk over the heap.
private struct LayoutWalk {
  /// The end of the last block that was shown.
  var position: UInt

  /// Shows a block in use, and the free bytes before it.
  mutating func visit(_ start: UInt, byteCount: UInt, _ body: (HeapBlock) -> Void) {
    finish(at: start, body)
    body(HeapBlock(range: AddrRange(start: VirtAddr(start), byteCount: byteCount), isFree: false))
    position = start + byteCount
  }

  /// Skips bytes of the heap's own, and shows the free bytes before them.
  mutating func skip(_ start: UInt, byteCount: UInt, _ body: (HeapBlock) -> Void) {
    finish(at: start, body)
    position = start + byteCount
  }

  /// Shows the free bytes up to `end`.
  mutating func finish(at end: UInt, _ body: (HeapBlock) -> Void) {
    guard end > position else { return }
    body(HeapBlock(range: AddrRange(start: VirtAddr(position), end: VirtAddr(end)), isFree: true))
    position = end
  }
}
