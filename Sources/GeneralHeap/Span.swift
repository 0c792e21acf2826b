public import Synchronization

// A span is one granule, 64 KiB at a multiple of 64 KiB, carved into blocks of one size class. Its descriptor lies out
// of line, in the span table at the start of the space, 64 bytes for each granule: one cache line, which is all that
// a free on the hot path reads or writes beside the block itself.
//
// A block is in one of four places, and the words in the block say nothing about which but for the mark of a free one:
//
//     live         handed out, or on its heap's list of blocks to hand out next ("active", or a stack)
//     free         on `free`: given back by the owner
//     remote       on `remote`: given back by other threads, not yet seen by the owner
//     absent       it overlaps a page of `absentPages`: never carved, or its memory was given back
//
//     carvedCount = live + free + remote (the blocks that overlap no absent page)
//     free        = target - pending
//
// `pending` counts down with every free by the owner, so that the hot path needs one decrement and one branch to learn
// of the event it waits for: the first free block of a full span, the last of any.

/// What a granule is used for.
@frozen
public enum GranuleKind: UInt8, Sendable {
  /// Nothing: it was never given out, or was taken back.
  case none = 0
  /// A span of small blocks.
  case span = 1
  /// Part of a first-fit arena.
  case arena = 2
  /// The heap's own records.
  case metadata = 3
}

/// Where its owner keeps a span.
@frozen
public enum SpanState: UInt8, Sendable {
  /// In no list: every carved block is live or remote.
  case full = 0
  /// The span that its class allocates from.
  case current = 1
  /// In its class's list of spans with blocks to give.
  case available = 2
  /// Empty, and the space's: any thread may give its memory back, under the space's lock.
  case idle = 3
  /// Empty, in its heap's reserve, with its blocks on its free list: no other thread may touch its memory.
  case reserved = 4
}

/// The descriptor of a granule.
///
/// Its owner alone changes a span's fields, but for `remote` and `nextIncoming`. What another thread reads meanwhile is an
/// atomic, without an order: of the bits and counts that may change under its eyes it needs those of its own block,
/// which do not.
@frozen
public struct SpanRecord: ~Copyable {
  /// The heap whose thread allocates from the span, 0 for none. Of a class with a stack it is that heap's address plus 1,
  /// so that a free comes by where the stack is served.
  @usableFromInline var owner: UInt = 0
  /// The first block that the owner gave back, 0 for none.
  @usableFromInline var free: UInt = 0
  /// ceil(2^32 / block size): p is the start of a block if and only if (p mod 64 KiB) * reciprocal mod 2^32 is
  /// below it (Lemire, Kaser and Kurz 2019; exact since 2^16 offsets times 2^15 sizes stay below 2^32).
  @usableFromInline var reciprocal: UInt32 = 0
  /// The same again: a second field, so that each use is an operand in memory. 0 as long as a purge has blocks of the
  /// span absent: their marks are gone with their memory, so that frees take the slow path, which asks `absentPages`.
  /// Frees by other threads read it while that changes, and get along with either value; they read it plainly all the
  /// same, since no compiler compares with an atomic in memory: it would be one instruction of the hot path's 44 more.
  @usableFromInline var reciprocalBound: UInt32 = 0
  /// How many more frees by the owner until the event.
  @usableFromInline var pending: Int32 = 0
  /// How many free blocks the last purge found, and left.
  var purgedFreeCount: UInt16 = 0
  /// How many of its free blocks the heap's pace was told of (PurgePace.swift).
  var notedCount: UInt16 = 0
  /// Blocks given back by other threads (RemoteList.swift).
  @usableFromInline let remote = Atomic<UInt>(0)
  /// The granule before this one in its list, 0 for none.
  var previous: UInt32 = 0
  /// The granule after this one in its list, 0 for none.
  var next: UInt32 = 0
  /// The granule after this one among its owner's spans with new remote blocks.
  var nextIncoming: UInt32 = 0
  /// How many free blocks make the event.
  var target: Int16 = 0
  /// How many blocks overlap no absent page.
  let carvedCount = Atomic<UInt16>(0)
  /// The pages, one bit each, whose blocks are in no list.
  let absentPages = Atomic<UInt16>(0)
  /// The pages, one bit each, that may have memory behind them.
  var residentPages: UInt16 = 0
  /// The number of its size class.
  @usableFromInline var sizeClass: UInt8 = 0
  let kind = Atomic<UInt8>(GranuleKind.none.rawValue)
  let state = Atomic<UInt8>(SpanState.full.rawValue)

  init() {}

  /// How large its blocks are, in bytes.
  var blockByteCount: UInt32 { UInt32(truncatingIfNeeded: SizeClass(index: Int(sizeClass)).blockByteCount) }
}

/// A span, by the address of its descriptor.
@frozen
public struct Span: Equatable, Sendable {
  /// The descriptor's address.
  public let address: UInt

  @inlinable @inline(__always)
  init(address: UInt) { self.address = address }

  /// A granule's size and alignment in bytes: 64 KiB.
  @inlinable public static var byteCount: UInt { 1 << 16 }

  /// A descriptor's size in bytes.
  @inlinable public static var recordByteCount: UInt { 64 }

  /// Where `remote` lies in the descriptor.
  static var remoteOffset: UInt { 32 }

  /// The descriptor's fields.
  @inlinable var fields: SpanRecord {
    // SAFETY: a span is made only for a granule of a space, whose table is mapped as far as granules were given out.
    @inline(__always) unsafeAddress {
      unsafe UnsafePointer(bitPattern: address).unsafelyUnwrapped
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      unsafe UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    }
  }

  var carvedCount: UInt16 {
    get { fields.carvedCount.load(ordering: .relaxed) }
    nonmutating set { fields.carvedCount.store(newValue, ordering: .relaxed) }
  }

  var absentPages: UInt16 {
    get { fields.absentPages.load(ordering: .relaxed) }
    nonmutating set { fields.absentPages.store(newValue, ordering: .relaxed) }
  }

  var kind: GranuleKind {
    // SAFETY: nothing else is ever stored there.
    get { unsafe unsafeBitCast(fields.kind.load(ordering: .relaxed), to: GranuleKind.self) }
    nonmutating set { fields.kind.store(newValue.rawValue, ordering: .relaxed) }
  }

  var state: SpanState {
    // SAFETY: as above.
    get { unsafe unsafeBitCast(fields.state.load(ordering: .relaxed), to: SpanState.self) }
    nonmutating set { fields.state.store(newValue.rawValue, ordering: .relaxed) }
  }

  /// The heap whose thread allocates from the span.
  var ownerHeap: ThreadHeap { ThreadHeap(address: fields.owner & ~1) }

  /// How many blocks are on the owner's free list.
  var freeCount: Int { Int(fields.target) - Int(fields.pending) }

  /// Sets the event to the moment when `count` blocks are free, of which `freeCount` are now.
  func await(_ count: Int, freeCount: Int) {
    fields.target = Int16(truncatingIfNeeded: count)
    fields.pending = Int32(truncatingIfNeeded: count - freeCount)
  }

  /// The bytes of the pages whose blocks are in some list or live.
  var presentByteCount: UInt { UInt((~absentPages).nonzeroBitCount) << 12 }

  /// How many blocks the span has room for.
  var capacity: UInt { Span.byteCount / UInt(fields.blockByteCount) }
}
