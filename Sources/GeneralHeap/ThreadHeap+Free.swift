internal import Addresses
internal import CLabMalloc

// What a free does off the hot path: a span's event, and a block of another heap's span.

extension ThreadHeap {
  /// How many empty spans a heap keeps at hand.
  static var idleSpanMaximum: UInt32 { 16 }

  /// Does what was waited for: `target` blocks of the span are free.
  @inline(never)
  func handleEvent(_ span: Span) {
    let freeCount = span.freeCount
    switch span.fields.state {
    case .full:
      link(span)
      span.await(Int(span.fields.carvedCount), freeCount: freeCount)
      if freeCount >= Int(span.fields.carvedCount) {
        unlink(span)
        retire(span)
      }
    case .available:
      if freeCount >= Int(span.fields.carvedCount) {
        unlink(span)
        retire(span)
      }
    case .current, .idle:
      break
    }
  }

  /// Puts away an empty span that is in no list.
  private func retire(_ span: Span) {
    span.fields.owner = 0
    span.fields.state = .idle
    guard fields.idleCount < ThreadHeap.idleSpanMaximum else {
      space.deallocateGranules(span, .min)
      return
    }
    span.fields.kind = .none
    span.fields.next = fields.idleSpan
    fields.idleSpan = space.granule(of: span)
    fields.idleCount += 1
  }
}
