internal import CLabMalloc
internal import Synchronization

// Blocks that go home. A thread that frees other heaps' blocks collects them by span, in a small table of batches that a
// granule's number leads to, and hands over a batch with one compare-and-swap: its blocks become the front of the span's
// `remote` list. Programs free blocks of many sizes in a row; with a single batch each of them would travel alone. To
// add a block to a batch takes no slow path. The empty heap has no batches: a thread without a heap and a handler that
// interrupted a slow path add nothing.
//
// Whoever makes a remote list non-empty also pushes the span onto an incoming stack of the owner, one for each size
// class. The owner takes a class's stack with one exchange when that class runs out, and each span's remote list with
// another. By then the span's own free list is used up, as a rule, so that the two need not be strung together block
// by block. All stacks are taken when the heap would else grow.
//
//     a span is on a stack of its owner, or in the hands of one thread that took it from there or is about to push it
//         <=>  its remote list is not empty
//
// so that a span is never on two stacks or twice on one. A block on the remote list counts as live until the list is
// taken, which is why the span cannot be given back before. Who takes a list is the owner, or a thread that claims the
// whole span (ThreadHeap+Claims.swift).

extension ThreadHeap {
  /// The batch that blocks of the span at `granule` go into.
  @inline(__always)
  private func outgoingSlot(_ granule: UInt32) -> UnsafeMutablePointer<OutgoingBatch> {
    let index = Int(granule) & (OutgoingBatch.count - 1)
    // SAFETY: `outgoing` lies at this offset of the record, and the index is below its count.
    return unsafe UnsafeMutablePointer(bitPattern: address &+ ThreadHeap.outgoingOffset).unsafelyUnwrapped + index
  }

  /// Adds a block of another heap's span to the batch of that span; false when there is none, or when the block would
  /// fill it.
  @inline(__always)
  func pushOutgoing(_ block: FreeBlock, granule: UInt32) -> Bool {
    let slot = unsafe outgoingSlot(granule)
    guard unsafe slot.pointee.granule == granule, unsafe slot.pointee.room > 1 else { return false }
    unsafe slot.pointee.push(block)
    return true
  }

  /// Sends a block of another heap's span home.
  func sendHome(_ block: FreeBlock, to span: Span) {
    let granule = space.granule(of: span)
    let slot = unsafe outgoingSlot(granule)
    if unsafe slot.pointee.granule != granule || slot.pointee.blockCount == 0 {
      unsafe flush(slot)
      unsafe slot.pointee.begin(span, granule: granule)
    }
    unsafe slot.pointee.push(block)
    guard unsafe slot.pointee.room == 0 else { return }
    unsafe flush(slot)
    // More blocks of the span are to be expected. It may be claimed before, and the batch is then of what it became.
    unsafe slot.pointee.begin(span, granule: granule)
  }

  /// Hands over all blocks that were collected.
  func flushOutgoing() {
    for index in 0..<OutgoingBatch.count { unsafe flush(outgoingSlot(UInt32(index))) }
  }

  /// Hands over a batch, and claims the receiver's complete spans when they have become many.
  private func flush(_ slot: UnsafeMutablePointer<OutgoingBatch>) {
    let batch = unsafe slot.pointee
    unsafe slot.pointee = OutgoingBatch()
    guard batch.blockCount != 0 else { return }
    let span = space.span(batch.granule)
    let receiver = span.ownerHeap
    fields.receiver = receiver.address
    let isComplete = ThreadHeap.giveBack(
      span, first: batch.first, last: batch.last, count: UInt(batch.blockCount), granule: batch.granule)
    if isComplete, receiver.noteComplete() { claimComplete(of: receiver) }
  }

  /// Puts linked blocks of `span` in front of its remote list. Whether the span is settled and nobody holds a block of
  /// it any more; then it may be another heap's by now.
  @discardableResult
  static func giveBack(_ span: Span, first: UInt, last: FreeBlock, count: UInt, granule: UInt32) -> Bool {
    let carvedCount = UInt(span.carvedCount)
    var old = RemoteList(word: span.fields.remote.load(ordering: .relaxed))
    while true {
      last.next = old.first
      let list = old.adding(count, first: first)
      // Release pairs with the acquiring exchange of who takes the list: it sees the links. Acquire pairs with the same
      // exchange, before which `nextIncoming` was read that is written below, and with the releases of those who gave
      // blocks back before, all of whose work on the span is done when its last block is back and the span is claimed.
      let (done, seen) = span.fields.remote.compareExchange(
        expected: old.word, desired: list.word, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      if done {
        if old.isEmpty { span.ownerHeap.pushIncoming(granule, upTo: span) }
        return list.isSettled && list.count == carvedCount
      }
      old = RemoteList(word: seen)
    }
  }

  /// Puts spans of one class that are linked by `nextIncoming`, from the one at `granule` to `last`, onto the class's
  /// incoming stack.
  func pushIncoming(_ granule: UInt32, upTo last: Span) {
    withIncoming(Int(last.fields.sizeClass)) { incoming in
      var top = incoming.load(ordering: .relaxed)
      while true {
        last.fields.nextIncoming = top
        // Release pairs with the acquiring exchange of who takes the stack: it sees `nextIncoming`.
        let (done, seen) = incoming.compareExchange(
          expected: top, desired: granule, successOrdering: .releasing, failureOrdering: .relaxed)
        if done { return }
        top = seen
      }
    }
  }

  /// Takes a class's whole incoming stack: its first granule, 0 when there is none.
  @inline(__always)
  func popIncoming(_ index: Int) -> UInt32 {
    withIncoming(index) { $0.load(ordering: .relaxed) == 0 ? 0 : $0.exchange(0, ordering: .acquiring) }
  }

  /// A class's stack of spans with new remote blocks, as an atomic.
  @inline(__always)
  private func withIncoming<Result>(_ index: Int, _ body: (borrowing Atomic<UInt32>) -> Result) -> Result {
    let first = address &+ ThreadHeap.incomingOffset
    // SAFETY: the field is aligned and only ever accessed here.
    return unsafe body((UnsafePointer<Atomic<UInt32>>(bitPattern: first).unsafelyUnwrapped + index).pointee)
  }

  /// Looks for empty spans before the heap grows: those of other classes that other threads emptied, and those that this
  /// thread emptied, of the heap that it gave back to last.
  func gatherSpans() {
    collectIncoming()
    guard fields.receiver != 0 else { return }
    flushOutgoing()
    let receiver = ThreadHeap(address: fields.receiver)
    if receiver.hasComplete { claimComplete(of: receiver) }
  }

  /// Takes what other threads gave back of all classes.
  func collectIncoming() {
    noteCollected()
    for index in 0..<SizeClass.count { collectIncoming(index) }
  }

  /// Takes what other threads gave back of a class.
  func collectIncoming(_ index: Int) {
    var granule = popIncoming(index)
    while granule != 0 {
      let span = space.span(granule)
      // Read before the remote list becomes empty: from then on the span may be pushed again.
      granule = span.fields.nextIncoming
      // Release: the read above comes before the next writer of `nextIncoming`, who finds the list empty.
      let remote = RemoteList(word: span.fields.remote.exchange(0, ordering: .acquiringAndReleasing))
      if remote.isSettled, remote.count == UInt(span.carvedCount) { noteCompleteCollected() }
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
