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
  /// The batch that blocks of `span` go into.
  @inline(__always)
  private func outgoingSlot(_ span: Span) -> UnsafeMutablePointer<OutgoingBatch> {
    let index = Int(bitPattern: span.address / Span.recordByteCount) & (OutgoingBatch.count - 1)
    // SAFETY: `outgoing` lies at this offset of the record, and the index is below its count.
    return unsafe UnsafeMutablePointer(bitPattern: address &+ ThreadHeap.outgoingOffset).unsafelyUnwrapped + index
  }

  /// Adds a block of another heap's span to the batch of that span; false when there is none, or when the block fills
  /// it.
  @inline(__always)
  func pushOutgoing(_ block: FreeBlock, of span: Span) -> Bool {
    let slot = unsafe outgoingSlot(span)
    guard unsafe slot.pointee.span == span.address, unsafe slot.pointee.room > 1 else { return false }
    unsafe slot.pointee.push(block)
    return true
  }

  /// Sends a block of another heap's span home.
  func sendHome(_ block: FreeBlock, to span: Span) {
    let slot = unsafe outgoingSlot(span)
    if unsafe slot.pointee.span != span.address {
      unsafe flush(slot)
      unsafe slot.pointee.begin(span)
    }
    unsafe slot.pointee.push(block)
    if unsafe slot.pointee.room <= 0 { unsafe flush(slot) }
  }

  /// Hands over all blocks that were collected.
  func flushOutgoing() {
    for index in 0..<OutgoingBatch.count {
      unsafe flush(outgoingSlot(Span(address: UInt(index) * Span.recordByteCount)))
    }
  }

  /// Hands over a batch, and claims the receiver's complete spans when they have become many.
  private func flush(_ slot: UnsafeMutablePointer<OutgoingBatch>) {
    let batch = unsafe slot.pointee.take()
    guard batch.span != 0 else { return }
    let span = Span(address: batch.span)
    let receiver = span.ownerHeap
    let isComplete = ThreadHeap.giveBack(
      span, first: batch.first, last: FreeBlock(batch.last), count: UInt(batch.blockCount),
      granule: space.granule(of: span))
    if isComplete, receiver.noteComplete() { claimComplete(of: receiver) }
  }

  /// Puts linked blocks of `span` in front of its remote list. Whether the span is settled and nobody holds a block of
  /// it any more; then it may be another heap's by now.
  @discardableResult
  static func giveBack(_ span: Span, first: UInt, last: FreeBlock, count: UInt, granule: UInt32) -> Bool {
    let carvedCount = UInt(span.fields.carvedCount)
    var old = RemoteList(word: span.withRemote { $0.load(ordering: .relaxed) })
    while true {
      last.next = old.first
      let list = old.adding(count, first: first)
      // Release pairs with the acquiring exchange of who takes the list: it sees the links. Acquire pairs with the same
      // exchange, before which `nextIncoming` was read that is written below, and with the releases of those who gave
      // blocks back before, all of whose work on the span is done when its last block is back and the span is claimed.
      let (done, seen) = span.withRemote {
        $0.compareExchange(
          expected: old.word, desired: list.word, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      }
      if done {
        if old.isEmpty { span.ownerHeap.pushIncoming(granule, upTo: span) }
        return list.isSettled && list.count == carvedCount
      }
      old = RemoteList(word: seen)
    }
  }

  /// Puts spans that are linked by `nextIncoming`, from the one at `granule` to `last`, onto the incoming stack.
  func pushIncoming(_ granule: UInt32, upTo last: Span) {
    withIncoming { incoming in
      var top = incoming.load(ordering: .relaxed)
      while true {
        last.fields.nextIncoming = UInt32(truncatingIfNeeded: top)
        // Release pairs with the acquiring exchange of who takes the stack: it sees `nextIncoming`.
        let (done, seen) = incoming.compareExchange(
          expected: top, desired: UInt(granule), successOrdering: .releasing, failureOrdering: .relaxed)
        if done { return }
        top = seen
      }
    }
  }

  /// Takes the whole incoming stack: its first granule, 0 when there is none.
  func popIncoming() -> UInt32 {
    UInt32(truncatingIfNeeded: withIncoming { $0.exchange(0, ordering: .acquiring) })
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
    noteCollected()
    var granule = popIncoming()
    while granule != 0 {
      let span = space.span(granule)
      // Read before the remote list becomes empty: from then on the span may be pushed again.
      granule = span.fields.nextIncoming
      // Release: the read above comes before the next writer of `nextIncoming`, who finds the list empty.
      let remote = RemoteList(word: span.withRemote { $0.exchange(0, ordering: .acquiringAndReleasing) })
      splice(FreeBlock(remote.first), count: Int(remote.count), into: span)
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
