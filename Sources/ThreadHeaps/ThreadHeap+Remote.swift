package import HeapBlocks
package import HeapSpaces
internal import Synchronization

// Blocks that go home. A thread that frees other heaps' blocks collects them by span, in a small table of batches that a
// granule's number leads to, and hands over a batch with one compare-and-swap: its blocks become the front of the span's
// `remote` list. Programs free blocks of many sizes in a row; with a single batch each of them would travel alone. To add a
// block to a batch takes no slow path. The empty heap has no batches: a thread without a heap, and a handler that
// interrupted a slow path, add nothing.
//
// Whoever makes a remote list non-empty also pushes the span onto an incoming stack of the owner, one for each size class.
// The owner takes a class's stack with one exchange when that class runs out, and each span's remote list with another. By
// then the span's own free list is used up, as a rule, and the two need not be strung together block by block. All stacks
// are taken when the heap would otherwise grow.
//
//     a span is on a stack of its owner, or in the hands of one thread that took it from there or is about to push it
//         <=>  its remote list is not empty
//
// A span is therefore never on two stacks, or twice on one. A block on the remote list counts as live until the list is
// taken, and the span cannot be given back before. The owner takes a list, or a thread that claims the whole span
// (ThreadHeap+Claims.swift).

extension ThreadHeap {
  /// Where the batch for blocks of the span at `granule` is.
  @inline(__always)
  private static func batchIndex(_ granule: UInt32) -> Int { Int(granule) & (OutgoingBatch.count - 1) }

  /// Adds a block of another heap's span to the batch of that span; false when there is none, or when the block would fill
  /// it.
  @inline(__always)
  package func pushOutgoing(_ block: FreeBlock, granule: UInt32) -> Bool {
    // SAFETY: the index is below the count.
    unsafe fields.outgoing[unchecked: ThreadHeap.batchIndex(granule)].push(block, granule: granule)
  }

  /// Sends a block of another heap's span home.
  package func sendHome(_ block: FreeBlock, to span: BlockSpan) {
    let granule = space.number(of: span.granule)
    let index = ThreadHeap.batchIndex(granule)
    if !fields.outgoing[index].isOf(granule) {
      flushBatch(index)
      fields.outgoing[index].begin(span, granule: granule)
    }
    fields.outgoing[index].push(block)
    guard fields.outgoing[index].isFull else { return }
    flushBatch(index)
    // More blocks of the span are to be expected. It may be claimed before, and the batch is then of what it became.
    fields.outgoing[index].begin(span, granule: granule)
  }

  /// Hands over all blocks that were collected.
  package func flushOutgoing() {
    for index in 0..<OutgoingBatch.count { flushBatch(index) }
  }

  /// Hands over a batch, and claims the receiver's complete spans when they have become many.
  private func flushBatch(_ index: Int) {
    let granule = fields.outgoing[index].granule
    let count = fields.outgoing[index].blockCount
    let first = fields.outgoing[index].first
    let last = fields.outgoing[index].last
    fields.outgoing[index].clear()
    guard count != 0 else { return }
    let span = space.span(granule)
    let receiver = ThreadHeap.owner(of: span, in: space)
    fields.receiver = receiver.address
    let isComplete = ThreadHeap.giveBack(span, first: first, last: last, count: count, in: space)
    if isComplete, receiver.noteComplete() { claimComplete(of: receiver) }
  }

  /// Puts linked blocks of `span` in front of its remote list. Returns whether the span is settled and nobody holds a block
  /// of it any more; then it may be another heap's by now.
  @discardableResult
  package static func giveBack(
    _ span: BlockSpan, first: UInt, last: FreeBlock, count: UInt, in space: HeapSpace
  ) -> Bool {
    let carvedCount = UInt(span.carvedCount)
    var old = RemoteList(word: span.fields.remote.load(ordering: .relaxed))
    while true {
      last.next = old.first
      let list = old.adding(count, first: first)
      // Release pairs with the acquiring exchange of whoever takes the list: it sees the links. Acquire pairs with the
      // same exchange, before which `nextIncoming` was read that is written below, and with the releases of the threads
      // that gave blocks back before: their work on the span is done when its last block is back and the span is claimed.
      let (done, seen) = span.fields.remote.compareExchange(
        expected: old.word, desired: list.word, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      if done {
        if old.isEmpty { owner(of: span, in: space).pushIncoming(space.number(of: span.granule), upTo: span) }
        return list.isSettled && list.count == carvedCount
      }
      old = RemoteList(word: seen)
    }
  }

  /// Puts spans of one class that are linked by `nextIncoming`, from the one at `granule` to `last`, onto the class's
  /// incoming stack.
  func pushIncoming(_ granule: UInt32, upTo last: BlockSpan) {
    withAtomic(&fields.incoming[last.sizeClass.index]) { incoming in
      var top = incoming.load(ordering: .relaxed)
      while true {
        last.fields.nextIncoming = top
        // Release pairs with the acquiring exchange in `popIncoming`: it sees `nextIncoming`.
        let (done, seen) = incoming.compareExchange(
          expected: top, desired: granule, successOrdering: .releasing, failureOrdering: .relaxed)
        if done { return }
        top = seen
      }
    }
  }

  /// Takes a class's whole incoming stack: its first granule, 0 when there is none.
  @inline(__always)
  func popIncoming(_ sizeClass: SizeClass) -> UInt32 {
    let isEmpty = withAtomic(&fields.incoming[sizeClass.index]) { $0.load(ordering: .relaxed) == 0 }
    if isEmpty { return 0 }
    // Acquire pairs with the release in `pushIncoming`.
    return withAtomic(&fields.incoming[sizeClass.index]) { $0.exchange(0, ordering: .acquiring) }
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
  package func collectIncoming() {
    noteCollected()
    for index in 0..<SizeClass.count { collectIncoming(SizeClass(index: index)) }
  }

  /// Takes what other threads gave back of a class.
  func collectIncoming(_ sizeClass: SizeClass) {
    var granule = popIncoming(sizeClass)
    while granule != 0 {
      let span = space.span(granule)
      // Read before the remote list becomes empty: from then on the span may be pushed again.
      granule = span.fields.nextIncoming
      // Acquire pairs with the release in `giveBack`. Release pairs with its acquire: the read above comes before the next
      // write of `nextIncoming`, by a thread that finds the list empty.
      let remote = RemoteList(word: span.fields.remote.exchange(0, ordering: .acquiringAndReleasing))
      if remote.isSettled, remote.count == UInt(span.carvedCount) { noteCompleteCollected() }
      splice(FreeBlock(remote.first), count: Int(remote.count), into: span)
    }
  }

  /// Puts linked blocks in front of a span's free list.
  private func splice(_ first: FreeBlock, count: Int, into span: BlockSpan) {
    if span.free != 0 {
      var last = first
      while last.next != 0 { last = FreeBlock(last.next) }
      last.next = span.free
    }
    span.free = first.address
    span.pending -= Int16(truncatingIfNeeded: count)
    if span.pending <= 0 { handleEvent(span) }
  }
}
