internal import CLabMalloc
internal import Synchronization

// Blocks that go home. A thread that frees another heap's blocks collects those of one span in a row, and hands them
// over with one compare-and-swap: they become the front of the span's `remote` list. Whoever makes that list non-empty
// also pushes the span onto the owner's `incoming` stack. The owner takes the stack with one exchange, and each span's
// remote list with another.
//
//     a span is on its owner's stack, or about to be pushed there  <=>  its remote list is not empty
//
// so that a span is never on two stacks or twice on one. A block on the remote list counts as live until the owner
// takes the list, which is why the span cannot be given back before.

extension ThreadHeap {
  /// How many blocks travel together at most.
  static var outgoingMaximum: UInt { 64 }

  /// The bits of a remote list that hold its first block's address.
  private static var addressMask: UInt { (1 << 48) - 1 }

  /// Sends a block of another heap's span home.
  func sendHome(_ block: FreeBlock, to span: Span) {
    block.markWord = FreeBlock.mark
    if fields.outgoingSpan == span.address {
      block.next = fields.outgoingFirst
      fields.outgoingFirst = block.address
      fields.outgoingCount += 1
      if fields.outgoingCount >= ThreadHeap.outgoingMaximum { flushOutgoing() }
      return
    }
    flushOutgoing()
    block.next = 0
    fields.outgoingFirst = block.address
    fields.outgoingLast = block.address
    fields.outgoingCount = 1
    fields.outgoingSpan = span.address
  }

  /// Hands over the blocks that were collected.
  func flushOutgoing() {
    guard fields.outgoingSpan != 0 else { return }
    let span = Span(address: fields.outgoingSpan)
    fields.outgoingSpan = 0
    ThreadHeap.giveBack(
      span, first: fields.outgoingFirst, last: FreeBlock(fields.outgoingLast), count: fields.outgoingCount,
      granule: space.granule(of: span))
  }

  /// Puts linked blocks of `span` in front of its remote list.
  static func giveBack(_ span: Span, first: UInt, last: FreeBlock, count: UInt, granule: UInt32) {
    let wasEmpty = span.withRemote { remote -> Bool in
      var old = remote.load(ordering: .relaxed)
      while true {
        last.next = old & addressMask
        // Release pairs with the owner's acquiring exchange: it sees the links.
        let (done, seen) = remote.compareExchange(
          expected: old, desired: (old >> 48 + count) << 48 | first, successOrdering: .releasing,
          failureOrdering: .relaxed)
        if done { return old == 0 }
        old = seen
      }
    }
    guard wasEmpty else { return }
    span.ownerHeap.withIncoming { incoming in
      var top = incoming.load(ordering: .relaxed)
      while true {
        span.fields.nextIncoming = UInt32(truncatingIfNeeded: top)
        // Release pairs with the owner's acquiring exchange: it sees `nextIncoming`.
        let (done, seen) = incoming.compareExchange(
          expected: top, desired: UInt(granule), successOrdering: .releasing, failureOrdering: .relaxed)
        if done { return }
        top = seen
      }
    }
  }

  /// The stack of spans with new remote blocks, as an atomic.
  @inline(__always)
  private func withIncoming<Result>(_ body: (borrowing Atomic<UInt>) -> Result) -> Result {
    let offset = ThreadHeap.incomingOffset
    // SAFETY: the field is aligned and only ever accessed here.
    return unsafe body(UnsafePointer<Atomic<UInt>>(bitPattern: address &+ offset).unsafelyUnwrapped.pointee)
  }

  /// Takes what other threads gave back.
  @inline(__always)
  func collectIncoming() {
    if withIncoming({ $0.load(ordering: .relaxed) }) != 0 { takeIncoming() }
  }

  @inline(never)
  private func takeIncoming() {
    var granule = UInt32(truncatingIfNeeded: withIncoming { $0.exchange(0, ordering: .acquiring) })
    while granule != 0 {
      let span = space.span(granule)
      // Read before the remote list becomes empty: from then on the span may be pushed again.
      granule = span.fields.nextIncoming
      let remote = span.withRemote { $0.exchange(0, ordering: .acquiring) }
      splice(FreeBlock(remote & ThreadHeap.addressMask), count: Int(remote >> 48), into: span)
    }
  }

  /// Puts linked blocks in front of a span's free list.
  private func splice(_ first: FreeBlock, count: Int, into span: Span) {
    if span.fields.free != 0 {
      var last = first
      while last.next != 0 { last = FreeBlock(last.next) }
      last.next = span.fields.free
    }
    span.fields.free = first.address
    span.fields.pending -= Int32(truncatingIfNeeded: count)
    if span.fields.pending <= 0 { handleEvent(span) }
  }
}
