/// The blocks of a span that other threads freed, in one word that changes atomically:
///
///     bit 63     whether the span is settled: its owner has it in no list, and its counts do not change
///     32 ... 44  the number of blocks
///     16 ... 27  where the last block is
///      0 ... 11  where the first block is, in steps of 16 bytes from the span's start
///
/// The first and the last block lead to all others by their links, and to whatever the taker links behind them: no walk
/// along blocks that other processors wrote.
@frozen
package struct RemoteList: Equatable {
  package let word: UInt

  @inlinable @inline(__always)
  package init(word: UInt) { self.word = word }

  /// The list with `count` more blocks in front: from the address `first` to the address `last`.
  @inlinable @inline(__always)
  package func adding(_ count: UInt, first: UInt, last: UInt) -> RemoteList {
    let behind = isEmpty ? RemoteList.step(of: last) << RemoteList.lastShift : word & RemoteList.lastMask
    let counted = word & ~RemoteList.stepMasks &+ count << RemoteList.countShift
    return RemoteList(word: counted | behind | RemoteList.step(of: first))
  }

  /// Bit 63.
  @inlinable @inline(__always)
  package static var settled: UInt { 1 << 63 }

  /// Where the number of blocks begins, and its bits there.
  @inlinable package static var countShift: UInt { 32 }
  @inlinable package static var countMask: UInt { 0x1FFF }

  @inlinable static var stepMask: UInt { 0xFFF }
  @inlinable static var lastShift: UInt { 16 }
  @inlinable static var lastMask: UInt { stepMask << lastShift }
  @inlinable static var stepMasks: UInt { lastMask | stepMask }

  @inlinable @inline(__always)
  static func step(of address: UInt) -> UInt { address >> 4 & stepMask }

  @inlinable @inline(__always)
  package var isSettled: Bool { word & RemoteList.settled != 0 }

  @inlinable @inline(__always)
  package var isEmpty: Bool { word & ~RemoteList.settled == 0 }

  @inlinable @inline(__always)
  package var count: UInt { word >> RemoteList.countShift & RemoteList.countMask }

  /// The address of the first block in a span that starts at `start`, 0 for none.
  @inlinable @inline(__always)
  package func first(from start: UInt) -> UInt { isEmpty ? 0 : start &+ (word & RemoteList.stepMask) << 4 }

  /// The address of the last block in a span that starts at `start`, 0 for none.
  @inlinable @inline(__always)
  package func last(from start: UInt) -> UInt {
    isEmpty ? 0 : start &+ (word >> RemoteList.lastShift & RemoteList.stepMask) << 4
  }
}
