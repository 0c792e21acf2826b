package import HeapBlocks
package import Synchronization

// A span is a granule that is carved into blocks of one size class. A block is in one of four places, and nothing in the
// block says which, except for the mark of a free one:
//
//     live         handed out, or on its heap's list of blocks to hand out next (an active list or a magazine)
//     free         on `free`: given back by the owner
//     remote       on `remote`: given back by other threads, not yet seen by the owner
//     absent       over a page of `absentPages`: never carved, or its memory was given back
//
//     carvedCount = live + free + remote (the blocks over no absent page)
//     free        = target - pending
//
// `pending` counts down with every free by the owner. The hot path thus needs one decrement and one branch to learn of the
// event that the owner waits for: the first free block of a full span, or the last of any.

/// The descriptor of a span.
///
/// Only its owner changes a span's fields, except for `remote` and `nextIncoming`. Other threads read some of them
/// meanwhile: those are relaxed atomics. Of the bits and counts that may change under its eyes a thread needs only those of
/// its own block, which do not.
@frozen
package struct SpanRecord: ~Copyable {
  package var granule = GranuleRecord()
  /// The number of the size class.
  @usableFromInline var classNumber: UInt8 = 0
  /// How many more frees by the owner until the event.
  @usableFromInline let pending = Atomic<Int16>(0)
  /// How many free blocks make the event.
  @usableFromInline let target = Atomic<Int16>(0)
  /// The address of the heap whose thread frees onto `free` by the hot path: 0 for a class with a magazine, and for a span
  /// without an owner. At this offset every descriptor has 0 or such an address, so that the hot path need not know what a
  /// granule is.
  @usableFromInline let hotOwner = Atomic<UInt>(0)
  /// The first block that the owner gave back, 0 for none.
  @usableFromInline let free = Atomic<UInt>(0)
  /// The reciprocal c = floor(2^32 / b) + 1 of the block size b. With e = c * b - 2^32, which is 1 to b, and an offset
  /// x = q * b + r in the span, r < b:
  ///
  ///     x * c mod 2^32 = q * e + r * c        (the right side is below 2^32, because q * e < 2^16 <= c)
  ///
  /// x is where a block starts if and only if that is below c (Lemire, Kaser and Kurz 2019), and where one of the
  /// first n blocks starts if and only if it is below n * e: one compare tells both.
  @usableFromInline package var reciprocal: UInt32 = 0
  /// n * e for the n blocks of which the hot path takes frees: those below the first absent page, none when blocks above it
  /// are present. A block that was never carved, or that a purge took, is thus refused like a pointer into a block.
  @usableFromInline let hotLimit = Atomic<UInt32>(0)
  /// Blocks given back by other threads (see RemoteList).
  package let remote = Atomic<UInt>(0)
  /// The granule before this one in its list, 0 for none.
  package var previous: UInt32 = 0
  /// The granule after this one in its list, 0 for none.
  package var next: UInt32 = 0
  /// The granule after this one among its owner's spans with new remote blocks.
  package var nextIncoming: UInt32 = 0
  /// The number of the heap whose thread allocates from the span, 0 for none.
  @usableFromInline let owner = Atomic<UInt32>(0)
  /// How many blocks overlap no absent page.
  @usableFromInline let carvedCount = Atomic<UInt16>(0)
  /// The pages, one bit each, whose blocks are in no list.
  @usableFromInline let absentPages = Atomic<UInt16>(0)
  /// How many free blocks the last purge found and left.
  package var purgedFreeCount: UInt16 = 0
  /// How many of its free blocks the heap's decay was told of (see PurgeDecay).
  package var notedCount: UInt16 = 0

  package init() {}
}

/// A span, by the address of its descriptor.
@frozen
package struct BlockSpan: Equatable, Sendable {
  /// The descriptor's address.
  package let address: UInt

  @inlinable @inline(__always)
  package init(address: UInt) { self.address = address }

  /// The granule that is the span.
  @inlinable @inline(__always)
  package var granule: Granule { Granule(address: address) }

  @inlinable package var fields: SpanRecord {
    // SAFETY: the granule's use says that its descriptor is a span's.
    @inline(__always) unsafeAddress {
      unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  @inlinable package var use: GranuleUse {
    get { granule.use }
    nonmutating set { granule.use = newValue }
  }
}

// The fields that other threads read.
extension BlockSpan {
  /// The size class. For the owner, and for whoever holds a block of the span: as long as they do it does not change.
  @inlinable package var sizeClass: SizeClass {
    get { SizeClass(index: Int(fields.classNumber)) }
    nonmutating set {
      withAtomic(&fields.classNumber) { $0.store(UInt8(truncatingIfNeeded: newValue.index), ordering: .relaxed) }
    }
  }

  /// The size class, for anybody else: it may change meanwhile.
  package var glimpsedSizeClass: SizeClass {
    SizeClass(index: Int(withAtomic(&fields.classNumber) { $0.load(ordering: .relaxed) }))
  }

  @inlinable package var hotOwner: UInt {
    get { fields.hotOwner.load(ordering: .relaxed) }
    nonmutating set { fields.hotOwner.store(newValue, ordering: .relaxed) }
  }

  @inlinable package var owner: UInt32 {
    get { fields.owner.load(ordering: .relaxed) }
    nonmutating set { fields.owner.store(newValue, ordering: .relaxed) }
  }

  @inlinable package var free: UInt {
    get { fields.free.load(ordering: .relaxed) }
    nonmutating set { fields.free.store(newValue, ordering: .relaxed) }
  }

  @inlinable package var pending: Int16 {
    get { fields.pending.load(ordering: .relaxed) }
    nonmutating set { fields.pending.store(newValue, ordering: .relaxed) }
  }

  @inlinable package var target: Int16 {
    get { fields.target.load(ordering: .relaxed) }
    nonmutating set { fields.target.store(newValue, ordering: .relaxed) }
  }

  @inlinable package var carvedCount: UInt16 {
    get { fields.carvedCount.load(ordering: .relaxed) }
    nonmutating set { fields.carvedCount.store(newValue, ordering: .relaxed) }
  }

  @inlinable package private(set) var absentPages: UInt16 {
    get { fields.absentPages.load(ordering: .relaxed) }
    nonmutating set { fields.absentPages.store(newValue, ordering: .relaxed) }
  }

  /// Sets the pages whose blocks are in no list, and with them the blocks of which the hot path takes frees.
  package func setAbsentPages(_ pages: UInt16) {
    absentPages = pages
    let presentCount = UInt32(pages.trailingZeroBitCount)
    let isRestAbsent = pages == UInt16.max << presentCount
    let blockCount = isRestAbsent ? (presentCount << Granule.pageByteShift) / blockByteCount : 0
    fields.hotLimit.store(blockCount * (blockByteCount &* fields.reciprocal), ordering: .relaxed)
  }
}

// Where two of them lie, for the accesses of the hot path that are one instruction.
extension BlockSpan {
  @inlinable @inline(__always)
  var hotLimitAddress: UInt {
    // SAFETY: nothing is read through the pointer here.
    unsafe withUnsafePointer(to: fields.hotLimit) { UInt(bitPattern: $0) }
  }

  @inlinable @inline(__always)
  var pendingAddress: UInt {
    // SAFETY: as above.
    unsafe withUnsafePointer(to: fields.pending) { UInt(bitPattern: $0) }
  }
}

// Sizes and counts.
extension BlockSpan {
  /// How large the span's blocks are, in bytes.
  @inlinable package var blockByteCount: UInt32 { UInt32(truncatingIfNeeded: sizeClass.blockByteCount) }

  /// How many blocks the span has room for.
  package var capacity: UInt { Granule.byteCount / UInt(blockByteCount) }

  /// How many blocks are on the owner's free list.
  package var freeCount: Int { Int(target) - Int(pending) }

  /// Sets the event to the moment when `count` blocks are free, of which `freeCount` are now.
  package func notify(after count: Int, freeCount: Int) {
    target = Int16(truncatingIfNeeded: count)
    pending = Int16(truncatingIfNeeded: count - freeCount)
  }

  /// The bytes of the pages whose blocks are in some list or live.
  package var presentByteCount: UInt { Granule.byteCount(ofPages: ~absentPages) }

  /// The pages that the block at `address` overlaps, one bit each.
  @inlinable package func pages(ofBlockAt address: UInt) -> UInt16 {
    Granule.pageMask(offset: UInt32(UInt16(truncatingIfNeeded: address)), byteCount: blockByteCount)
  }

  /// Makes the granule, which is nobody's, a span of `sizeClass` without an owner, of which no block was carved yet.
  package func begin(_ newClass: SizeClass) {
    let blockByteCount = newClass.blockByteCount
    sizeClass = newClass
    fields.reciprocal = UInt32(truncatingIfNeeded: (1 << 32) / blockByteCount + 1)
    free = 0
    // Relaxed: nobody else knows the span.
    fields.remote.store(0, ordering: .relaxed)
    fields.notedCount = 0
    fields.purgedFreeCount = 0
    setAbsentPages(.max)
    carvedCount = 0
    notify(after: 0, freeCount: 0)
  }
}
