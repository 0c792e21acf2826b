internal import HeapBlocks
internal import HeapSpaces
internal import Synchronization

// Claims: how spans change hands. Blocks that other threads free wait for the span's owner, and the owner may sleep for
// ever. Where threads pass their data on, each heap would keep all that it ever held. The freeing thread therefore
// takes over. A span on an incoming stack is *complete* when all its blocks have been freed. When many spans of a heap
// are complete, the thread that completed the last of them takes the stacks, keeps the complete spans as its own, and
// puts the others back. It does the same before its own heap grows. Its next allocations come from these spans, without
// a system call. An owner that is awake collects its spans before they become many.
//
// Only a *settled* span is claimed: a full one, which its owner has in no list. The settled bit is in the word of the
// remote list, and one compare-and-swap decides between the owner and the claimer:
//
//     settled, remote count = carvedCount  =>  no block is live, none is on `free`, and none of the owner's lists has
//                                              the span: only through its stacks can the owner reach it
//     from a stack by an exchange          =>  no other thread is about to push the span or to claim it
//
// Blocks in a third thread's outgoing batch count as live: a batch with blocks never names a span whose owner changed.
// Some spans still wait for their owner: its current ones, and those that have blocks on its own free list.
//
// The bit is valid in a child of fork too. Settling is the last store when a span is put aside, and unsettling is the
// first store when it is put into a list. A settled span is thus in no list, wherever its owner was halted.

extension ThreadHeap {
  /// How many complete spans may wait for their owner: 512 KiB.
  private static var completeMaximum: Int { 8 }

  /// Marks a full span as settled, the last step of putting it aside.
  func settle(_ span: BlockSpan) {
    // Release pairs with the acquiring load and exchange in `claim`, which thereby sees the span's counts.
    span.fields.remote.bitwiseOr(RemoteList.settled, ordering: .releasing)
  }

  /// Removes that mark, the first step of putting a span into a list.
  func unsettle(_ span: BlockSpan) {
    // The span has blocks on its free list: no other thread can claim it meanwhile.
    if RemoteList(word: span.fields.remote.load(ordering: .relaxed)).isSettled {
      span.fields.remote.bitwiseAnd(~RemoteList.settled, ordering: .relaxed)
    }
  }

  /// Notes that one more span became complete. Returns whether they are many now.
  func noteComplete() -> Bool {
    let count = withAtomic(&fields.completeCount) { $0.wrappingAdd(1, ordering: .relaxed).newValue }
    return count >= ThreadHeap.completeMaximum
  }

  /// Whether complete spans wait, and enough of them among the incomplete ones.
  var hasComplete: Bool { withAtomic(&fields.completeCount) { $0.load(ordering: .relaxed) } > 0 }

  /// Notes that this heap's own thread took a complete span from a stack.
  func noteCompleteCollected() {
    withAtomic(&fields.completeCount) { _ = $0.wrappingSubtract(1, ordering: .relaxed) }
  }

  /// Notes that this heap's own thread takes all its stacks.
  func noteCollected() {
    withAtomic(&fields.completeCount) { $0.store(0, ordering: .relaxed) }
    let claimed = withAtomic(&fields.claimedByteCount) { $0.load(ordering: .relaxed) }
    if claimed != 0 {
      withAtomic(&fields.claimedByteCount) { _ = $0.wrappingSubtract(claimed, ordering: .relaxed) }
      fields.heldByteCount &-= claimed
    }
  }

  /// Claims the complete spans on the stacks of `owner`.
  @inline(never)
  func claimComplete(of owner: ThreadHeap) {
    // Memory of another node stays with its owner, who finds the spans on its stacks.
    guard owner.fields.node == fields.node else { return }
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

  /// Claims a span from another heap's stack as an empty one. Returns its bytes, or 0 if it is not complete.
  private func claim(_ span: BlockSpan) -> UInt {
    // Acquire pairs with the release in `settle`, and with the releases in `giveBack`.
    let list = RemoteList(word: span.fields.remote.load(ordering: .acquiring))
    guard list.isSettled, list.count == UInt(span.carvedCount) else { return 0 }
    // Acquire pairs as above. Release pairs with the acquire in `giveBack`: this thread reads `nextIncoming` before a
    // thread that finds the list empty writes it.
    let (isClaimed, _) = span.fields.remote.compareExchange(
      expected: list.word, desired: 0, ordering: .acquiringAndReleasing)
    guard isClaimed else { return 0 }
    span.free = list.first(from: space.start(of: span.granule))
    span.notify(after: Int(list.count), freeCount: Int(list.count))
    span.fields.notedCount = 0
    noteFreed(span)
    // Read now: after `retire` the span may belong to any heap.
    let byteCount = span.presentByteCount
    fields.heldByteCount += byteCount
    retire(span)
    return byteCount
  }
}
