public import Addresses

extension BuddyFrames {
  /// Fills `buffer` with the addresses of blocks of `order`, lowest first, as many as there are.
  ///
  /// - Returns: How many addresses the buffer got, at its start; the rest of it is unchanged.
  /// - Complexity: O(n) for n blocks.
  public mutating func allocate(_ order: FrameOrder, into buffer: inout MutableSpan<PhysAddr>) -> Int {
    var count = 0
    while count < buffer.count, let address = allocate(order) {
      buffer[count] = address
      count += 1
    }
    return count
  }

  /// Fills `buffer` with the addresses of blocks of `order`, lowest first, or allocates none.
  ///
  /// - Returns: Whether there were enough; if not, nothing is allocated and the buffer's content is undefined.
  /// - Complexity: O(n) for n blocks.
  public mutating func allocateAll(_ order: FrameOrder, into buffer: inout MutableSpan<PhysAddr>) -> Bool {
    if UInt64(buffer.count) << UInt64(order.rawValue) > freeFrameCount { return false }
    let count = allocate(order, into: &buffer)
    if count == buffer.count { return true }
    for index in 0..<count { deallocate(buffer[index], order: order) }
    return false
  }

  /// Deallocates blocks that were allocated with this order; any other ends the process.
  ///
  /// - Complexity: O(n) for n blocks.
  public mutating func deallocate(_ blocks: Span<PhysAddr>, order: FrameOrder) {
    for index in blocks.indices { deallocate(blocks[index], order: order) }
  }
}
