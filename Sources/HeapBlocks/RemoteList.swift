/// The blocks of a span that other threads freed, in one word that changes atomically:
///
///     bit 63     whether the span is settled: its owner has it in no list, and its counts do not change
///     48 ... 60  the number of blocks
///      0 ... 47  the address of the first block, 0 for none
@frozen
package struct RemoteList: Equatable {
  package let word: UInt

  @inlinable @inline(__always)
  package init(word: UInt) { self.word = word }

  /// The list with `count` more blocks in front, the first of which is `first`.
  @inlinable @inline(__always)
  package func adding(_ count: UInt, first: UInt) -> RemoteList {
    RemoteList(word: (word & ~RemoteList.addressMask) &+ count << 48 | first)
  }

  /// Bit 63.
  @inlinable @inline(__always)
  package static var settled: UInt { 1 << 63 }

  @inlinable @inline(__always)
  static var addressMask: UInt { (1 << 48) &- 1 }

  @inlinable @inline(__always)
  package var isSettled: Bool { word & RemoteList.settled != 0 }

  @inlinable @inline(__always)
  package var isEmpty: Bool { word & ~RemoteList.settled == 0 }

  @inlinable @inline(__always)
  package var count: UInt { word >> 48 & 0x1FFF }

  @inlinable @inline(__always)
  package var first: UInt { word & RemoteList.addressMask }
}
