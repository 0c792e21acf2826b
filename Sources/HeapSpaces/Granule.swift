package import Synchronization

// A granule is 64 KiB at a multiple of 64 KiB. Its descriptor lies out of line, in the space's granule table. It is one cache line. Besides the block itself, a free on the hot path touches no other memory of the heap.
//
// Every descriptor begins with a `GranuleRecord`. The granule's use says what follows: a `SpanRecord` for a span, an
// `ArenaRecord` for part of an arena, nothing for a free granule or for one with the heap's own records.

/// The use of a granule, and the place where its owner keeps it.
@frozen
package enum GranuleUse: UInt8, Sendable {
  /// Free: in the buddy, or never allocated. The holder of the space's lock may purge its memory.
  case free = 0
  /// Allocated from the buddy but not in use yet, or an empty span in its heap's reserve. No other thread may touch its
  /// memory.
  case reserved = 1
  /// A span in none of its owner's lists: every carved block is live or on the remote list.
  case fullSpan = 2
  /// The span that its class allocates from.
  case currentSpan = 3
  /// A span in its class's list of spans with blocks to allocate.
  case availableSpan = 4
  /// Part of an arena.
  case arena = 5
  /// The heap's own records.
  case metadata = 6

  /// Whether the granule is carved into blocks of one size class.
  package var isSpan: Bool { self == .fullSpan || self == .currentSpan || self == .availableSpan }
}

/// The fields at the start of every granule's descriptor.
@frozen
package struct GranuleRecord: ~Copyable {
  /// The pages, one bit each, that may have memory behind them. Written by the granule's owner; under the space's lock
  /// while the granule is free, under the arenas' lock in an arena.
  package var residentPages: UInt16 = 0
  /// The granule's use, written by its owner. Other threads read it to learn what a pointer points to. They need it
  /// only for granules with a block in use, whose kind of use does not change.
  @usableFromInline let use = Atomic<UInt8>(GranuleUse.free.rawValue)

  package init() {}
}

/// A granule, by the address of its descriptor.
@frozen
package struct Granule: Equatable, Sendable {
  /// The descriptor's address.
  package let address: UInt

  @inlinable @inline(__always)
  package init(address: UInt) { self.address = address }

  /// The base-2 logarithms of a granule's size and of a descriptor's size in bytes.
  @inlinable package static var byteShift: UInt { 16 }
  @inlinable package static var recordByteShift: UInt { 6 }

  /// A granule's size and alignment in bytes: 64 KiB.
  @inlinable package static var byteCount: UInt { 1 << byteShift }

  /// A descriptor's size and alignment in bytes: a cache line.
  @inlinable package static var recordByteCount: UInt { 1 << recordByteShift }

  /// `byteCount` rounded up to a multiple of a descriptor's size.
  static func roundedUpToRecord(_ byteCount: UInt) -> UInt {
    (byteCount + recordByteCount - 1) & ~(recordByteCount - 1)
  }

  @inlinable package var fields: GranuleRecord {
    // SAFETY: a granule is made only for a space, whose table is committed up to the last granule allocated.
    @inline(__always) unsafeAddress {
      unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  @inlinable package var use: GranuleUse {
    // SAFETY: only a use is ever stored there.
    get { unsafe unsafeBitCast(fields.use.load(ordering: .relaxed), to: GranuleUse.self) }
    nonmutating set { fields.use.store(newValue.rawValue, ordering: .relaxed) }
  }

  /// The granule as a span; its use must be one.
  @inlinable @inline(__always)
  package var span: BlockSpan { BlockSpan(address: address) }

  /// The granule as part of an arena; its use must be `.arena`.
  @inlinable @inline(__always)
  package var arenaPart: ArenaPart { ArenaPart(address: address) }
}

// Pages of a granule, one bit each: bit n is the page at byte 4,096 n.
extension Granule {
  /// The base-2 logarithm of the size of a page that a bit stands for, and how many pages there are.
  @inlinable package static var pageByteShift: UInt32 { 12 }
  package static var pageCount: UInt32 { UInt32(UInt16.bitWidth) }

  /// The size of a page that a bit stands for, in bytes.
  package static var pageByteCount: UInt { 1 << UInt(pageByteShift) }

  /// How many bytes the pages in `pages` have.
  package static func byteCount(ofPages pages: UInt16) -> UInt { UInt(pages.nonzeroBitCount) * pageByteCount }

  /// The pages that overlap `byteCount` bytes, at least 1, from `offset` on.
  @inlinable package static func pageMask(offset: UInt32, byteCount: UInt32) -> UInt16 {
    let first = offset >> pageByteShift
    let last = (offset &+ byteCount &- 1) >> pageByteShift
    return UInt16(truncatingIfNeeded: (UInt32(2) << last) &- (UInt32(1) << first))
  }

  /// The pages that overlap the bytes from offset `start` up to offset `end`, at least one.
  @inline(__always)
  package static func pageMask(from start: UInt, to end: UInt) -> UInt16 {
    pageMask(offset: UInt32(truncatingIfNeeded: start), byteCount: UInt32(truncatingIfNeeded: end &- start))
  }

  /// Visits the runs of pages in `pages`, each by its offset in the granule and its size, in bytes.
  @inline(__always)
  package static func forEachRun(in pages: UInt16, _ body: (UInt, UInt) -> Void) {
    var rest = UInt32(pages)
    while rest != 0 {
      let first = UInt32(rest.trailingZeroBitCount)
      let count = UInt32((~(rest >> first)).trailingZeroBitCount)
      rest &= ~(((1 << count) - 1) << first)
      body(UInt(first) * pageByteCount, UInt(count) * pageByteCount)
    }
  }
}
