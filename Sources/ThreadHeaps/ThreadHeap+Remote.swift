package import HeapBlocks
package import HeapSpaces
internal import Synchronization

// Remote frees: how blocks go home. A thread collects the blocks of other heaps that it frees in batches, one for each
// span, in a small table indexed by the granule's number. It hands a batch over with one compare-and-swap: the blocks
// become the front of the span's `remote` list. Programs free blocks of many sizes in a row; with a single batch each
// block would travel alone. Adding a block to a batch takes no slow path. The empty heap has no batches: a thread
// without a heap, and a handler that interrupted a slow path, add nothing.
//
// The thread that makes a remote list non-empty also pushes the span onto an incoming stack of the owner, one for each
// size class. When the class runs out, the owner takes the stack with one exchange, and each span's remote list with
// another. The owner takes all stacks before its heap grows.
//
//     a span is on a stack of its owner, or in the hands of one thread that took it from there or is about to push it
//         <=>  its remote list is not empty
//
// A span is therefore never on two stacks, or twice on one. A block on the remote list counts as live until the list is
// taken, and the span cannot be freed before. A list is taken by the owner, or by a thread that claims the whole span
// (ThreadHeap+Claims.swift).

extension ThreadHeap {
  /// The index of the batch for blocks of the span at `granule`.
  @inline(__always)
  static func batchIndex(_ granule: UInt32) -> Int { Int(granule) & (OutgoingBatch.count - 1) }

  /// Adds a block of another heap's span to the batch of that span. False when there is no such batch, or when the
  /// block would fill it.
  @inline(__always)
  package func pushOutgoing(_ block: FreeBlock, granule: UInt32) -> Bool {
    // SAFETY: the index is below the count.
    unsafe fields.outgoing[unchecked: ThreadHeap.batchIndex(granule)].push(block, granule: granule)
  }

  /// Adds a block of another heap's span to the batch of that span, and hands the batch over when it is full.
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
    // More blocks of the span probably follow. If it is claimed meanwhile, the empty batch serves the granule's next
    // use.
    fields.outgoing[index].begin(span, granule: granule)
  }

  /// Hands all batches over.
  package func flushOutgoing() {
    for index in 0..<OutgoingBatch.count { flushBatch(index) }
  }

  /// Hands a batch over, and claims the receiver's complete spans when they have become many.
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

  /// Puts linked blocks of `span` in front of its remote list. Returns whether the span is complete: settled, with no
  /// block in use. A complete span may already belong to another heap.
  @discardableResult
  package static func giveBack(
    _ span: BlockSpan, first: UInt, last: FreeBlock, count: UInt, in space: HeapSpace
  ) -> Bool {
    let carvedCount = UInt(span.carvedCount)
    let start = space.start(of: span.granule)
    var old = RemoteList(word: span.fields.remote.load(ordering: .relaxed))
    while true {
      last.next = old.first(from: start)
      let list = old.adding(count, first: first, last: last.address)
      // Release pairs with the acquiring exchange of the thread that takes the list: it sees the links. Acquire pairs
      // with the same exchange, since `nextIncoming`, written below, was read before it. It also pairs with the
      // releases of earlier calls: their work on the span is done when its last block is back and the span is claimed.
      let (done, seen) = span.fields.remote.compareExchange(
        expected: old.word, desired: list.word, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      if done {
        if old.isEmpty { owner(of: span, in: space).pushIncoming(space.number(of: span.granule), upTo: span) }
        return list.isSettled && list.count == carvedCount
      }
      old = RemoteList(word: seen)
    }
  }

  /// Pushes spans of one class, linked by `nextIncoming` from the one at `granule` to `last`, onto the class's incoming
  /// stack.
  func pushIncoming(_ granule: UInt32, upTo last: BlockSpan) {
    withAtomic(&fields.incoming[last.sizeClass.index]) { incoming in
      var top = incoming.load(ordering: .relaxed)
      while true {
        last.fields.nextIncoming = top
        // Release pairs with the acquiring exchange in `popIncoming`, which thereby sees `nextIncoming`.
        let (done, seen) = incoming.compareExchange(
          expected: top, desired: granule, successOrdering: .releasing, failureOrdering: .relaxed)
        if done { break }
        top = seen
      }
    }
    // Release pairs with the acquiring exchange in `collectIncoming()`, which thereby sees the span on its stack.
    withAtomic(&fields.hasAnyIncoming) { $0.store(true, ordering: .releasing) }
  }

  /// Whether a class's incoming stack holds spans.
  @inline(__always)
  private func hasIncoming(_ sizeClass: SizeClass) -> Bool {
    withAtomic(&fields.incoming[sizeClass.index]) { $0.load(ordering: .relaxed) != 0 }
  }

  /// Takes the whole incoming stack of a class: its first granule, 0 when the stack is empty.
  @inline(__always)
  func popIncoming(_ sizeClass: SizeClass) -> UInt32 {
    guard hasIncoming(sizeClass) else { return 0 }
    // Acquire pairs with the release in `pushIncoming`.
    return withAtomic(&fields.incoming[sizeClass.index]) { $0.exchange(0, ordering: .acquiring) }
  }

  /// Looks for empty spans before the heap grows: spans of other classes that other threads emptied, and spans that
  /// this thread emptied in the heap that received its last batch.
  func gatherSpans() {
    collectIncoming()
    guard fields.receiver != 0 else { return }
    flushOutgoing()
    let receiver = ThreadHeap(address: fields.receiver)
    if receiver.hasComplete { claimComplete(of: receiver) }
  }

  /// Takes the blocks of all classes that other threads freed.
  package func collectIncoming() {
    noteCollected()
    // Acquire pairs with the release in `pushIncoming`: the stacks that it reports are seen below.
    guard withAtomic(&fields.hasAnyIncoming, { $0.exchange(false, ordering: .acquiring) }) else { return }
    for index in 0..<SizeClass.count where hasIncoming(SizeClass(index: index)) {
      collectIncoming(SizeClass(index: index))
    }
  }

  /// Takes the blocks of one class that other threads freed.
  func collectIncoming(_ sizeClass: SizeClass) {
    var granule = popIncoming(sizeClass)
    while granule != 0 {
      let span = space.span(granule)
      // Read before the remote list becomes empty: from then on the span may be pushed again.
      granule = span.fields.nextIncoming
      // Acquire pairs with the release in `giveBack`. Release pairs with its acquire: the read above comes before the
      // next write of `nextIncoming`, by a thread that finds the list empty.
      let remote = RemoteList(word: span.fields.remote.exchange(0, ordering: .acquiringAndReleasing))
      if remote.isSettled, remote.count == UInt(span.carvedCount) { noteCompleteCollected() }
      splice(remote, into: span)
    }
  }

  /// Puts the blocks of a list in front of its span's free list.
  private func splice(_ remote: RemoteList, into span: BlockSpan) {
    let start = space.start(of: span.granule)
    if span.free != 0 { FreeBlock(remote.last(from: start)).next = span.free }
    span.free = remote.first(from: start)
    span.pending -= Int16(truncatingIfNeeded: remote.count)
    if span.pending <= 0 { handleFreed(span) }
  }
}
