internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization

// Spans that change hands. What other threads give back waits for the owner, and the owner may sleep for ever: where threads
// hand their data on, each heap would keep what it once held. The thread that gives back therefore takes over. When the
// spans on a heap's incoming stacks of which nobody holds a block any more have become many, the thread that completed the
// last of them takes the stacks, keeps those spans as its own, and puts the others back. It does the same before it grows
// itself. Its next allocations come from these spans, without a system call. An owner that is awake collects before they
// are many.
//
// Only a *settled* span is claimed: a full one, which its owner has in no list. The bit that says so is in the word of the
// remote list, and one compare-and-swap decides between the owner and the claimer:
//
//     settled, remote count = carvedCount  =>  no block is live and none on `free`, and none of the owner's lists
//                                              leads to the span: the owner cannot come by it but through its stacks
//     from a stack by an exchange          =>  no other thread is about to push the span or to claim it
//
// Blocks in a third thread's outgoing batch count as live: no batch with blocks names a span whose owner changed. Some
// spans still wait for their owner: its current ones, and those of which it holds free blocks itself.
//
// In a child of fork the bit is as good as ever: settling is the last store of putting a span aside, and unsettling the
// first of taking it up. The bit is set only where the owner's lists do not lead.

extension ThreadHeap {
  /// How many complete spans may wait for their owner: 512 KiB.
  private static var completeMaximum: Int { 8 }

  /// Marks a full span as settled, the last step of putting it aside.
  func settle(_ span: BlockSpan) {
    // Release pairs with the acquiring exchange in `claim`: it sees the span's counts.
    span.fields.remote.bitwiseOr(RemoteList.settled, ordering: .releasing)
  }

  /// Takes the mark away, the first step of putting a span into a list.
  func unsettle(_ span: BlockSpan) {
    // Blocks are on the span's free list: nobody can claim it meanwhile.
    if RemoteList(word: span.fields.remote.load(ordering: .relaxed)).isSettled {
      span.fields.remote.bitwiseAnd(~RemoteList.settled, ordering: .relaxed)
    }
  }

  /// Notes that one more span became complete, and says whether they are many now.
  func noteComplete() -> Bool {
    let count = withAtomic(&fields.completeCount) { $0.wrappingAdd(1, ordering: .relaxed).newValue }
    return count >= ThreadHeap.completeMaximum
  }

  /// Whether there are complete spans, and enough of them among the others.
  var hasComplete: Bool { withAtomic(&fields.completeCount) { $0.load(ordering: .relaxed) } > 0 }

  /// Notes that this heap's thread took a complete span from a stack itself.
  func noteCompleteCollected() {
    withAtomic(&fields.completeCount) { _ = $0.wrappingSubtract(1, ordering: .relaxed) }
  }

  /// Notes that this heap's thread takes all its stacks itself.
  func noteCollected() {
    withAtomic(&fields.completeCount) { $0.store(0, ordering: .relaxed) }
    let claimed = withAtomic(&fields.claimedByteCount) { $0.load(ordering: .relaxed) }
    if claimed != 0 {
      withAtomic(&fields.claimedByteCount) { _ = $0.wrappingSubtract(claimed, ordering: .relaxed) }
      fields.heldByteCount &-= claimed
    }
  }

  /// Takes over the complete spans on the stacks of `owner`.
  @inline(never)
  func claimComplete(of owner: ThreadHeap) {
    var keptCount = 0
    var claimedByteCount: UInt = 0
    for index in 0..<SizeClass.count {
      var granule = owner.popIncoming(SizeClass(index: index))
      var firstKept: UInt32 = 0
      var lastKept = BlockSpan(address: 0)
      while granule != 0 {
        let span = space.span(granule)
        let next = span.fields.nextIncoming
        let byteCount = claim(span)
        if byteCount != 0 {
          claimedByteCount += byteCount
        } else {
          if firstKept == 0 { lastKept = span }
          span.fields.nextIncoming = firstKept
          firstKept = granule
          keptCount += 1
        }
        granule = next
      }
      if firstKept != 0 { owner.pushIncoming(firstKept, upTo: lastKept) }
    }
    // The next claim waits until a part of the spans that were put back has become complete.
    withAtomic(&owner.fields.completeCount) { $0.store(-keptCount / 4, ordering: .relaxed) }
    withAtomic(&owner.fields.claimedByteCount) { _ = $0.wrappingAdd(claimedByteCount, ordering: .relaxed) }
    purge(.free)
  }

  /// Takes over a span from another heap's stack, as an empty one. Returns its bytes, 0 unless it is complete.
  private func claim(_ span: BlockSpan) -> UInt {
    // Acquire pairs with the release in `settle`, and with those in `giveBack`.
    let list = RemoteList(word: span.fields.remote.load(ordering: .acquiring))
    guard list.isSettled, list.count == UInt(span.carvedCount) else { return 0 }
    // Acquire pairs as above. Release pairs with the acquire in `giveBack`: `nextIncoming` was read before a thread that
    // finds the list empty writes it.
    let (isClaimed, _) = span.fields.remote.compareExchange(
      expected: list.word, desired: 0, ordering: .acquiringAndReleasing)
    guard isClaimed else { return 0 }
    span.free = list.first
    span.notify(after: Int(list.count), freeCount: Int(list.count))
    span.fields.notedCount = 0
    noteFreed(span)
    // Read before the span may be anyone's.
    let byteCount = span.presentByteCount
    fields.heldByteCount += byteCount
    retire(span)
    return byteCount
  }
}
