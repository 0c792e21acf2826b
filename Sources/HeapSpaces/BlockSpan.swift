package import HeapBlocks
package import Synchronization

// A span is a granule that is carved into blocks of one size class. A block is in one of four states. The block itself
// tells none of them, except that a free one carries a mark:
//
//     live         in use, or on its heap's list of blocks to allocate next (an active list or a magazine)
//     free         on `free`: freed by the owner
//     remote       on `remote`: freed by other threads, not yet seen by the owner
//     absent       over a page of `absentPages`: never carved, or purged
//
//     carvedCount = live + free + remote (the blocks over no absent page)
//     free        = target - pending
//
// Every free by the owner counts `pending` down. With one decrement and one branch, the hot path thus notices the event
// that the owner waits for: the first free blocks of a full span, or the last of any span.

/// The descriptor of a span.
///
/// Only its owner changes a span's fields, except for `remote` and `nextIncoming`. Other threads read some of them
/// meanwhile: those are relaxed atomics. Some change while a thread reads them; the bits and counts of the thread's own
/// block do not, and it needs no others.
@frozen
package struct SpanRecord: ~Copyable {
  package var granule = GranuleRecord()
  /// The number of the size class.
  @usableFromInline var classNumber: UInt8 = 0
  /// How many more frees by the owner lead to the event.
  @usableFromInline let pending = Atomic<Int16>(0)
  /// How many blocks are free when the event is due.
  @usableFromInline let target = Atomic<Int16>(0)
  /// The address of the heap whose thread frees onto `free` by the hot path; 0 for a class with a magazine and for a
  /// span without an owner. At this offset every descriptor holds 0 or such an address: the hot path need not ask what
  /// the granule is.
  @usableFromInline let hotOwner = Atomic<UInt>(0)
  /// The first block that the owner freed, 0 for none.
  @usableFromInline let free = Atomic<UInt>(0)
  /// The reciprocal c = floor(2^32 / b) + 1 of the block size b. Let e = c * b - 2^32, which is 1 to b. For an offset
  /// x = q * b + r in the span, r < b:
  ///
  ///     x * c mod 2^32 = q * e + r * c        (the right side is below 2^32, because (q + 1) * e < 2^17 < c)
  ///
  /// A block starts at x if and only if that is below c (Lemire, Kaser and Kurz 2019). One of the first n blocks starts
  /// there if and only if it is below n * e: one compare tells both.
  @usableFromInline package var reciprocal: UInt32 = 0
  /// n * e for the n blocks that the hot path may free: those below the first absent page. A block that was never carved,
  /// or that was purged, is thus refused like a pointer into a block.
  @usableFromInline let hotLimit = Atomic<UInt32>(0)
  /// Blocks freed by other threads (see RemoteList).
  package let remote = Atomic<UInt>(0)
  /// The previous granule in the span's list, 0 for none.
  package var previous: UInt32 = 0
  /// The next granule in the span's list, 0 for none.
  package var next: UInt32 = 0
  /// The next granule on the owner's incoming stack.
  package var nextIncoming: UInt32 = 0
  /// The number of the heap whose thread allocates from the span, 0 for none, and a bit for samples.
  @usableFromInline let owner = Atomic<UInt32>(0)
  /// How many blocks overlap no absent page.
  @usableFromInline let carvedCount = Atomic<UInt16>(0)
  /// The pages, one bit each, whose blocks are in no list.
  @usableFromInline let absentPages = Atomic<UInt16>(0)
  /// How many free blocks the last purge found and left.
  package var purgedFreeCount: UInt16 = 0
  /// How many of the span's free blocks the heap's decay knows of (see PurgeDecay).
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
  /// The size class, for the owner and for holders of a block of the span: it does not change while they are that.
  @inlinable package var sizeClass: SizeClass {
    get { SizeClass(index: Int(fields.classNumber)) }
    nonmutating set {
      withAtomic(&fields.classNumber) { $0.store(UInt8(truncatingIfNeeded: newValue.index), ordering: .relaxed) }
    }
  }

  /// The size class, for any other thread: it may change meanwhile.
  package var glimpsedSizeClass: SizeClass {
    SizeClass(index: Int(withAtomic(&fields.classNumber) { $0.load(ordering: .relaxed) }))
  }

  @inlinable package var hotOwner: UInt {
    get { fields.hotOwner.load(ordering: .relaxed) }
    nonmutating set { fields.hotOwner.store(newValue, ordering: .relaxed) }
  }

  /// The owner's number, and `sampled` if it has live samples. With that bit no heap's number equals the word: the paths
  /// beside the hot one refuse the span's blocks.
  @inlinable package var ownerWord: UInt32 { fields.owner.load(ordering: .relaxed) }

  @inlinable package var owner: UInt32 {
    get { ownerWord & ~BlockSpan.sampled }
    nonmutating set { fields.owner.store(newValue, ordering: .relaxed) }
  }

  @inlinable static var sampled: UInt32 { 1 << 31 }

  /// Whether blocks of the span are samples (SampleTable.swift). Only the owner asks and sets it.
  package var hasSamples: Bool {
    @inline(__always) get { ownerWord & BlockSpan.sampled != 0 }
    nonmutating set { fields.owner.store(newValue ? owner | BlockSpan.sampled : owner, ordering: .relaxed) }
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

  /// Sets the pages whose blocks are in no list, and with them the blocks that the hot path may free.
  package func setAbsentPages(_ pages: UInt16) {
    absentPages = pages
    let firstAbsent = UInt32(pages.trailingZeroBitCount)
    let blockCount = (firstAbsent << Granule.pageByteShift) / blockByteCount
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

  /// Makes the event due when `count` blocks are free; `freeCount` are free now.
  package func notify(after count: Int, freeCount: Int) {
    target = Int16(truncatingIfNeeded: count)
    pending = Int16(truncatingIfNeeded: count - freeCount)
  }

  /// The bytes of the pages that are not absent.
  package var presentByteCount: UInt { Granule.byteCount(ofPages: ~absentPages) }

  /// The pages that the block at `address` overlaps, one bit each.
  @inlinable package func pages(ofBlockAt address: UInt) -> UInt16 {
    Granule.pageMask(offset: UInt32(UInt16(truncatingIfNeeded: address)), byteCount: blockByteCount)
  }

  /// Makes the granule, which has no owner, a span of `sizeClass`: without an owner and with no blocks carved.
  package func begin(_ newClass: SizeClass) {
    let blockByteCount = newClass.blockByteCount
    sizeClass = newClass
    let reciprocal = UInt32(truncatingIfNeeded: (1 << 32) / blockByteCount + 1)
    withAtomic(&fields.reciprocal) { $0.store(reciprocal, ordering: .relaxed) }
    free = 0
    // Relaxed: no other thread knows the span.
    fields.remote.store(0, ordering: .relaxed)
    fields.notedCount = 0
    fields.purgedFreeCount = 0
    setAbsentPages(.max)
    carvedCount = 0
    notify(after: 0, freeCount: 0)
  }
}
