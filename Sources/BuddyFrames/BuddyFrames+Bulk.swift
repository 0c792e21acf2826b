public import Addresses

extension BuddyFrames {
  /// Fills `buffer` with the addresses of blocks of `order`, lowest first, as far as there are any.
  ///
  /// - Returns: How many there are, from the start of the buffer; the rest of it is as it was.
  /// - Complexity: O(n) for n blocks.
  public mutating func allocate(_ order: FrameOrder, into buffer: inout MutableSpan<PhysAddr>) -> Int {
    var count = 0
    while count < buffer.count, let address = allocate(order) {
      buffer[count] = address
      count += 1
    }
    return count
  }

  /// Fills `buffer` with the addresses of blocks of `order`, lowest first, if there are enough.
  ///
  /// - Returns: Whether there were; if not, nothing is allocated, and the buffer's content is undefined.
  /// - Complexity: O(n) for n blocks.
  public mutating func allocateAll(_ order: FrameOrder, into buffer: inout MutableSpan<PhysAddr>) -> Bool {
    if UInt64(buffer.count) << UInt64(order.rawValue) > freeFrameCount { return false }
    let count = allocate(order, into: &buffer)
    if count == buffer.count { return true }
    for index in 0..<count { deallocate(buffer[index], order: order) }
    return false
  }

  /// Takes back blocks that were allocated with this order; anything else ends the process.
  ///
  /// - Complexity: O(n) for n blocks.
  public mutating func deallocate(_ blocks: Span<PhysAddr>, order: FrameOrder) {
    for index in blocks.indices { deallocate(blocks[index], order: order) }
  }
}
