internal import HeapBlocks
internal import HeapSpaces

// How much memory a heap has at hand. Another thread may ask while the heap's own thread goes on.

extension ThreadHeap {
  /// The bytes of the heap's free blocks that spans and arenas count as live: those to allocate next, those in the
  /// cache, and those in batches.
  package var listedByteCount: UInt {
    var byteCount = cacheByteCount
    for index in 0..<SizeClass.count {
      let sizeClass = SizeClass(index: index)
      byteCount += listedCount(sizeClass) * sizeClass.blockByteCount
    }
    for index in 0..<OutgoingBatch.count {
      let count = fields.outgoing[index].blockCount
      if count != 0 { byteCount += count * space.span(fields.outgoing[index].granule).glimpsedSizeClass.blockByteCount }
    }
    return byteCount
  }

  /// How many blocks of a class the heap has to allocate next. A magazine may have blocks without a current span.
  private func listedCount(_ sizeClass: SizeClass) -> UInt {
    if sizeClass.hasMagazine { return magazineCount(sizeClass) }
    let current = current(sizeClass)
    return current == 0 ? 0 : activeCount(sizeClass, in: space.span(current))
  }
}
