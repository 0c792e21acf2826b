internal import Addresses
internal import BuddyFrames
internal import Synchronization

// A space is a row of chunks. Each chunk is as long as all before it together, up to 16 GiB:
//
//     chunk          0       1       2       3       4       5 and following
//     granules    2^14    2^14    2^15    2^16    2^17    2^18
//     starts at      0    2^14    2^15    2^16    2^17    multiples of 2^18
//
// A chunk begins with its head: the record and the frame table of a buddy, which knows the free granules behind the
// head. So the tables grow with the space, and no free run reaches from one chunk into the next. A space over a caller's
// memory is one chunk.
//
// A chunk begins when those before it cannot serve a request, and is committed from its start on. Where another mapping
// lies in the way, the chunk ends there, or is skipped. The row goes on with the next one.

/// A chunk, by the address of its record.
struct HeapChunk {
  let address: UInt

  /// Which granules of the chunk are free. Frame n is granule n of the space.
  var frames: BuddyFrames {
    // SAFETY: a chunk is made only by `chunk(headAt:)`, for a head whose record `writeHead` made. Heads stay.
    @inline(__always) unsafeAddress { unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  static var recordByteCount: UInt { Granule.roundedUpToRecord(UInt(MemoryLayout<BuddyFrames>.size)) }
}

// Where chunks are.
extension HeapSpace {
  /// The binary logarithms of the number of granules in the smallest and in the largest chunk.
  static var smallestChunkShift: UInt { 14 }
  static var largestChunkShift: UInt { 18 }

  /// The first granule of the chunk around granule `number`.
  func chunkStart(around number: UInt) -> UInt {
    if !fields.ownsMapping || number >> HeapSpace.smallestChunkShift == 0 { return 0 }
    let shift = min(UInt(UInt.bitWidth - 1 - number.leadingZeroBitCount), HeapSpace.largestChunkShift)
    return (number >> shift) << shift
  }

  /// The granule behind the chunk around granule `number`.
  func chunkEnd(around number: UInt) -> UInt {
    if !fields.ownsMapping { return fields.granuleCount }
    let start = chunkStart(around: number)
    let length = min(max(start, 1 << HeapSpace.smallestChunkShift), 1 << HeapSpace.largestChunkShift)
    return min(start + length, fields.granuleCount)
  }

  /// The first granule of the head of the chunk around granule `number`. In a child of fork, the first new head may lie
  /// inside a chunk.
  func head(around number: UInt) -> UInt { max(chunkStart(around: number), fields.buddyFirstGranule) }

  /// The chunk with a head at granule `head`, which must have begun.
  func chunk(headAt head: UInt) -> HeapChunk {
    HeapChunk(address: fields.base + head * Granule.byteCount + (head == 0 ? HeapSpace.recordByteCount : 0))
  }

  /// How many bytes a head at granule `head` has, of a chunk that ends at `end`.
  static func headByteCount(_ head: UInt, end: UInt) -> UInt {
    (head == 0 ? recordByteCount : 0) + HeapChunk.recordByteCount
      + Granule.roundedUpToRecord(BuddyFrames.tableByteCount(for: frames(from: head, to: end)))
  }

  /// The size of the records of the space and of its first arena, with which the head of chunk 0 begins.
  private static var recordByteCount: UInt { firstArenaOffset + Arena.recordByteCount }

  /// Where the record of the first arena lies.
  static var firstArenaOffset: UInt { Granule.roundedUpToRecord(UInt(MemoryLayout<SpaceRecord>.size)) }
}

// What is committed of each chunk.
extension HeapSpace {
  /// The granule behind the committed part of the chunk around granule `number`; 0 when nothing is committed there.
  func committedEnd(ofChunkAround number: UInt) -> UInt {
    UInt(self[wordAt: number, of: fields.chunkTable].load(ordering: .relaxed))
  }

  func setCommittedEnd(_ end: UInt, ofChunkAround number: UInt) {
    self[wordAt: number, of: fields.chunkTable].store(UInt32(truncatingIfNeeded: end), ordering: .relaxed)
  }

  /// The granule behind the fixed part of the chunk around granule `number`; 0 when nothing is fixed there.
  func fixedEnd(ofChunkAround number: UInt) -> UInt {
    fields.fixedTable == 0 ? 0 : UInt(self[wordAt: number, of: fields.fixedTable].load(ordering: .relaxed))
  }

  func setFixedEnd(_ end: UInt, ofChunkAround number: UInt) {
    self[wordAt: number, of: fields.fixedTable].store(UInt32(truncatingIfNeeded: end), ordering: .relaxed)
  }

  /// The word of a table for the chunk around granule `number`. Relaxed, as `committedEnd` is, and for the same reason.
  private subscript(wordAt number: UInt, of table: UInt) -> Atomic<UInt32> {
    unsafeAddress {
      let word = table + (chunkStart(around: number) >> HeapSpace.smallestChunkShift) * 4
      // SAFETY: `create` committed the tables, which have a word for each of the smallest chunks that the space could
      // have. A longer chunk uses the first of its words.
      return unsafe UnsafePointer(bitPattern: word).unsafelyUnwrapped
    }
  }

  /// The size of the table of committed ends for a space of so many granules, in bytes.
  static func chunkTableByteCount(for granuleCount: UInt) -> UInt {
    Granule.roundedUpToRecord(((granuleCount >> HeapSpace.smallestChunkShift) + 1) * 4)
  }

  /// Visits the numbers of the granules that were ever committed, lowest first, without the head of chunk 0.
  /// - Complexity: O(n) for n granules, and for chunks that were skipped.
  package func forEachGranule(_ body: (UInt32) -> Void) {
    let last = committedEnd
    var number = fields.firstGranule
    while number < last {
      let end = committedEnd(ofChunkAround: number)
      while number < end {
        body(UInt32(truncatingIfNeeded: number))
        number += 1
      }
      number = chunkEnd(around: number)
    }
  }
}
