/// The blocks of a span that other threads gave back, as the one word that changes atomically:
///
///     bit 63     whether the span is settled: in none of its owner's lists, so that what it knows does not change
///     48 ... 60  how many blocks there are
///      0 ... 47  the first one's address, 0 for none
struct RemoteList: Equatable {
  let word: UInt

  @inline(__always)
  init(word: UInt) { self.word = word }

  /// The list with `count` blocks more, of which `first` is the first.
  @inline(__always)
  func adding(_ count: UInt, first: UInt) -> RemoteList {
    RemoteList(word: (word & ~RemoteList.addressMask) &+ count << 48 | first)
  }

  /// Bit 63.
  @inline(__always)
  static var settled: UInt { 1 << 63 }

  @inline(__always)
  private static var addressMask: UInt { (1 << 48) &- 1 }

  @inline(__always)
  var isSettled: Bool { word & RemoteList.settled != 0 }

  @inline(__always)
  var isEmpty: Bool { word & ~RemoteList.settled == 0 }

  @inline(__always)
  var count: UInt { word >> 48 & 0x1FFF }

  @inline(__always)
  var first: UInt { word & RemoteList.addressMask }
}
