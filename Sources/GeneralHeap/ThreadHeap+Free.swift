internal import Addresses
internal import CLabMalloc
internal import Assertions

// What a free does off the hot path: a span's event, and a block of another heap's span.

extension ThreadHeap {
  /// How many empty spans a heap keeps at hand.
  static var idleSpanMaximum: UInt32 { 16 }

  /// Does what was waited for: `target` blocks of the span are free.
  ///
  /// A full span becomes available again with its first free blocks; an empty one is put away. In between the pace is
  /// told how many are free when it is half of them, and again after three quarters of the rest.
  @inline(never)
  func handleEvent(_ span: Span) {
    let freeCount = span.freeCount
    let carved = Int(span.carvedCount)
    // The hot path knows where a block may start, not whether it was ever given out; the count knows.
    require(
      freeCount <= carved, "free of a pointer that heaplab did not give out, in the 64 KiB at",
      UInt64(space.start(of: span)))
    if span.state == .full { link(span) }
    guard span.state == .available else { return }
    noteFreed(span)
    if freeCount >= carved {
      unlink(span)
      retire(span)
    } else if freeCount * 2 < carved {
      span.await((carved + 1) / 2, freeCount: freeCount)
    } else {
      span.await(freeCount + max(1, (carved - freeCount) * 3 / 4), freeCount: freeCount)
    }
    purgeIfDue()
  }

  /// Puts away an empty span that is in no list.
  func retire(_ span: Span) {
    span.fields.owner = 0
    span.state = .reserved
    fields.heldByteCount -= span.presentByteCount
    guard fields.idleCount < ThreadHeap.idleSpanMaximum else {
      space.deallocateGranules(span, .min)
      return
    }
    span.kind = .none
    span.fields.next = fields.idleSpan
    fields.idleSpan = space.granule(of: span)
    fields.idleCount += 1
  }
}
