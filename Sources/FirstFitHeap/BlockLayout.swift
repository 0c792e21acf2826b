/// The sizes that blocks and ranges are made of, in bytes.
///
/// They scale with the word size: a 32-bit machine pays half the header.
public enum BlockLayout {
  /// The bytes of a word and of a block's header: 8, or 4 where pointers have 32 bits.
  @inlinable public static var headerByteCount: UInt { UInt(MemoryLayout<UInt>.size) }

  /// The unit of block sizes and the alignment of block contents: 16, or 8.
  @inlinable public static var granuleByteCount: UInt { 2 * headerByteCount }

  /// The size of the smallest block: as a hole, it must hold its header and ``nodeByteCount``.
  @inlinable public static var minimumBlockByteCount: UInt { 32 }

  /// The bytes at the end of a hole that hold its index node.
  @inlinable public static var nodeByteCount: UInt { 24 }

  /// The bytes at the start of each range that hold the heap's record: 40, or 28.
  @inlinable public static var recordByteCount: UInt { 3 * headerByteCount + 16 }

  /// The size of the smallest range that can have a table: 128 KiB.
  @inlinable public static var leastRangeByteCountWithTable: UInt { 128 << 10 }

  /// The bytes of the table of a range that begins with `rangeByteCount` bytes: about 1/110 of them, 0 below
  /// ``leastRangeByteCountWithTable``. The table lies between the range's record and its first block.
  /// - Complexity: O(1)
  public static func tableByteCount(forRangeOf rangeByteCount: UInt) -> UInt {
    rangeByteCount < leastRangeByteCountWithTable ? 0 : HoleTable.byteCount(forRangeOf: rangeByteCount)
  }

  /// The size of the largest range: 16 GiB, or 64 MiB where pointers have 32 bits. A longer one is cut.
  ///
  /// An index link has 30 bits and counts granules; a header on a 32-bit machine has 26 bits for a size.
  @inlinable public static var largestRangeByteCount: UInt {
    UInt.bitWidth == 64 ? 1 << (UInt.bitWidth / 2 + 2) : 1 << 26
  }

  /// The size of the block that serves a request, or nil when no range can hold it.
  /// - Complexity: O(1)
  @inlinable public static func blockByteCount(for byteCount: UInt) -> UInt? {
    byteCount < largestRangeByteCount ? blockByteCount(forSmall: byteCount) : nil
  }

  /// The same, for fewer than ``largestRangeByteCount`` bytes.
  @inlinable static func blockByteCount(forSmall byteCount: UInt) -> UInt {
    // No overflow: the caller's bound keeps the upper bits of the word clear.
    let rounded = (byteCount &+ headerByteCount &+ granuleByteCount &- 1) & ~(granuleByteCount &- 1)
    return max(rounded, minimumBlockByteCount)
  }
}
