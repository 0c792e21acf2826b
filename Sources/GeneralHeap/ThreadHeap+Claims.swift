internal import CLabMalloc
internal import Synchronization

// Spans that change hands. What other threads give back waits for the owner, and the owner may sleep for ever: where
// threads hand their data on, each heap would keep what it once held. So who gives back takes over. When the spans on a
// heap's incoming stacks of which nobody holds a block any more have become many, the thread that completed the last of
// them takes the stacks, keeps those spans as its own, and puts the others back; and so it does before it grows itself.
// Its next allocations come from them, without a system call. An owner that is awake collects before they are many.
//
// Only a *settled* span is claimed: a full one, which its owner has in no list. The bit that says so is in the word of
// the remote list, so that one compare-and-swap decides between the owner and the claimer:
//
//     settled, remote count = carvedCount  =>  no block is live and none on `free`, and none of the owner's lists
//                                              leads to the span: the owner cannot come by it but through its stacks
//     from a stack by an exchange          =>  no other thread is about to push the span or to claim it
//
// Blocks in a third thread's outgoing batch count as live, so that no batch with blocks names a span whose owner
// changed. Some spans wait for their owner still: its current ones, and those of which it holds free blocks itself.
//
// In a child of fork the bit is as good as ever: settling is the last store of putting a span aside, and unsettling the
// first of taking it up, so that it is set only where the owner's lists do not lead.

extension ThreadHeap {
  /// How many complete spans may wait for their owner: 512 KiB.
  private static var completeMaximum: Int { 8 }

  /// Marks a full span as settled, the last step of putting it aside.
  func settle(_ span: Span) {
    // Release pairs with the acquiring exchange in `claim`: it sees the span's counts.
    span.fields.remote.bitwiseOr(RemoteList.settled, ordering: .releasing)
  }

  /// Takes the mark away, the first step of putting a span into a list.
  func unsettle(_ span: Span) {
    // Blocks are on the span's free list: nobody can claim it meanwhile.
    if RemoteList(word: span.fields.remote.load(ordering: .relaxed)).isSettled {
      span.fields.remote.bitwiseAnd(~RemoteList.settled, ordering: .relaxed)
    }
  }

  /// Notes that one more span became complete, and says whether they are many now.
  func noteComplete() -> Bool {
    fields.completeCount.wrappingAdd(1, ordering: .relaxed).newValue >= ThreadHeap.completeMaximum
  }

  /// Whether there are complete spans, and not too few among those that are not.
  var hasComplete: Bool { fields.completeCount.load(ordering: .relaxed) > 0 }

  /// Notes that this heap's thread took a complete span from a stack itself.
  func noteCompleteCollected() { fields.completeCount.wrappingSubtract(1, ordering: .relaxed) }

  /// Notes that this heap's thread takes all its stacks itself.
  func noteCollected() {
    fields.completeCount.store(0, ordering: .relaxed)
    let claimed = fields.claimedByteCount.load(ordering: .relaxed)
    if claimed != 0 {
      fields.claimedByteCount.wrappingSubtract(claimed, ordering: .relaxed)
      fields.heldByteCount &-= claimed
    }
  }

  /// Takes over the complete spans on the stacks of `owner`.
  @inline(never)
  func claimComplete(of owner: ThreadHeap) {
    var keptCount = 0
    var claimedByteCount: UInt = 0
    for index in 0..<SizeClass.count {
      var granule = owner.popIncoming(index)
      var firstKept: UInt32 = 0
      var lastKept = Span(address: 0)
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
    // Not before a part of those that were looked at in vain has become complete.
    owner.fields.completeCount.store(-keptCount / 4, ordering: .relaxed)
    owner.fields.claimedByteCount.wrappingAdd(claimedByteCount, ordering: .relaxed)
    purgeIfDue()
  }

  /// Takes over a span from another heap's stack, as an empty one: its bytes, 0 unless it is complete.
  private func claim(_ span: Span) -> UInt {
    // Acquire pairs with the release in `settle`, and with those of who gave back.
    let list = RemoteList(word: span.fields.remote.load(ordering: .acquiring))
    guard list.isSettled, list.count == UInt(span.carvedCount) else { return 0 }
    // Release: `nextIncoming` was read before its next writer finds the list empty.
    let (isClaimed, _) = span.fields.remote.compareExchange(
      expected: list.word, desired: 0, ordering: .acquiringAndReleasing)
    guard isClaimed else { return 0 }
    span.fields.free = list.first
    span.await(Int(list.count), freeCount: Int(list.count))
    span.fields.notedCount = 0
    noteFreed(span)
    // Before the span may be anyone's.
    let byteCount = span.presentByteCount
    fields.heldByteCount += byteCount
    retire(span)
    return byteCount
  }
}
