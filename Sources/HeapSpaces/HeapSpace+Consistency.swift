package import Addresses
package import BuddyFrames

// Checks for tests.

/// The first defect that a check of a space's chunks found.
package enum ChunkDefect: Error, Equatable {
  /// The buddy of the chunk with this head.
  case frames(head: UInt, BuddyFramesDefect)
  /// A chunk below `lowestHeads` has a free run of the order.
  case lowestHead(head: UInt, FrameOrder)
  /// A granule that is not committed is in use.
  case committedEnd(head: UInt)
}

extension HeapSpace {
  /// How many granules are free in the chunks that have begun, committed or not.
  package var freeGranuleCount: UInt64 {
    var count: UInt64 = 0
    forEachHead { count += chunk(headAt: $0).frames.freeFrameCount }
    return count
  }

  /// Checks the invariants of the row of chunks; throws the first defect.
  /// - Complexity: O(n) for n granules.
  package func checkChunks() throws(ChunkDefect) {
    var defect: ChunkDefect?
    forEachHead { if defect == nil { defect = self.defect(ofChunkWithHeadAt: $0) } }
    if let defect { throw defect }
  }

  private func defect(ofChunkWithHeadAt head: UInt) -> ChunkDefect? {
    let chunk = chunk(headAt: head)
    do throws(BuddyFramesDefect) {
      try chunk.frames.checkConsistency()
    } catch {
      return .frames(head: head, error)
    }
    // A chunk with a free run of an order has one of each smaller order.
    var largest: UInt8?
    for order in 0..<UInt8(FrameOrder.count) where chunk.frames.freeBlocks[FrameOrder(order)] != 0 { largest = order }
    if let largest {
      for order in 0...largest where fields.lowestHeads[Int(order)] > head {
        return .lowestHead(head: head, FrameOrder(order))
      }
    }
    for number in committedEnd(ofChunkAround: head)..<chunkEnd(around: head) {
      if case .allocated = chunk.frames.use(of: HeapSpace.frame(number)) { return .committedEnd(head: head) }
    }
    return nil
  }

  private func forEachHead(_ body: (UInt) -> Void) {
    var head = fields.buddyFirstGranule
    while head < fields.chunksEnd {
      if isBegun(head) { body(head) }
      head = chunkEnd(around: head)
    }
  }
}
